//! The 47 prefectures as tiles: one square each, roughly where they lie. Column and row count from the north-west.

/// A prefecture's tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tile {
    /// The first two digits of its codes (JIS X 0401).
    pub(super) code: &'static str,
    pub(super) ja: &'static str,
    pub(super) en: &'static str,
    pub(super) column: u8,
    pub(super) row: u8,
}

const fn tile(code: &'static str, ja: &'static str, en: &'static str, column: u8, row: u8) -> Tile {
    Tile { code, ja, en, column, row }
}

pub(super) const TILES: [Tile; 47] = [
    tile("01", "北海道", "Hokkaido", 12, 0),
    tile("02", "青森", "Aomori", 12, 1),
    tile("03", "岩手", "Iwate", 12, 2),
    tile("04", "宮城", "Miyagi", 12, 3),
    tile("05", "秋田", "Akita", 11, 2),
    tile("06", "山形", "Yamagata", 11, 3),
    tile("07", "福島", "Fukushima", 12, 4),
    tile("08", "茨城", "Ibaraki", 13, 5),
    tile("09", "栃木", "Tochigi", 12, 5),
    tile("10", "群馬", "Gunma", 11, 5),
    tile("11", "埼玉", "Saitama", 11, 6),
    tile("12", "千葉", "Chiba", 13, 6),
    tile("13", "東京", "Tokyo", 12, 6),
    tile("14", "神奈川", "Kanagawa", 11, 7),
    tile("15", "新潟", "Niigata", 11, 4),
    tile("16", "富山", "Toyama", 9, 4),
    tile("17", "石川", "Ishikawa", 8, 4),
    tile("18", "福井", "Fukui", 8, 5),
    tile("19", "山梨", "Yamanashi", 10, 6),
    tile("20", "長野", "Nagano", 10, 5),
    tile("21", "岐阜", "Gifu", 9, 5),
    tile("22", "静岡", "Shizuoka", 10, 7),
    tile("23", "愛知", "Aichi", 9, 6),
    tile("24", "三重", "Mie", 9, 7),
    tile("25", "滋賀", "Shiga", 8, 6),
    tile("26", "京都", "Kyoto", 7, 6),
    tile("27", "大阪", "Osaka", 7, 7),
    tile("28", "兵庫", "Hyogo", 6, 6),
    tile("29", "奈良", "Nara", 8, 7),
    tile("30", "和歌山", "Wakayama", 8, 8),
    tile("31", "鳥取", "Tottori", 5, 6),
    tile("32", "島根", "Shimane", 4, 6),
    tile("33", "岡山", "Okayama", 5, 7),
    tile("34", "広島", "Hiroshima", 4, 7),
    tile("35", "山口", "Yamaguchi", 3, 6),
    tile("36", "徳島", "Tokushima", 6, 9),
    tile("37", "香川", "Kagawa", 6, 8),
    tile("38", "愛媛", "Ehime", 5, 8),
    tile("39", "高知", "Kochi", 5, 9),
    tile("40", "福岡", "Fukuoka", 1, 7),
    tile("41", "佐賀", "Saga", 0, 7),
    tile("42", "長崎", "Nagasaki", 0, 8),
    tile("43", "熊本", "Kumamoto", 1, 8),
    tile("44", "大分", "Oita", 2, 7),
    tile("45", "宮崎", "Miyazaki", 2, 8),
    tile("46", "鹿児島", "Kagoshima", 1, 9),
    tile("47", "沖縄", "Okinawa", 0, 10),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_prefecture_has_its_own_place() {
        let places: BTreeSet<_> = TILES.iter().map(|tile| (tile.column, tile.row)).collect();
        assert_eq!(places.len(), TILES.len());
        for (place, tile) in TILES.iter().enumerate() {
            assert_eq!(tile.code, format!("{:02}", place + 1));
        }
    }
}
