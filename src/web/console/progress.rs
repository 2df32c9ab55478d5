//! 進捗: how far everybody is, in pictures; which prefectures are covered, and which authorities have not written.

use super::frame::{Desk, Trouble, show};
use super::tiles::{TILES, Tile};
use super::visit::{Lang, Visit};
use super::{Console, chart, tenants};
use crate::domain::{LgCode, TenantId};
use crate::engine::survey::Milestone;
use crate::engine::views::board::Coverage;
use crate::rules::Authority;
use axum::extract::{Path, State};
use axum::response::Response;
use minijinja::{Value, context};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Days of the pictures by day.
const DAYS: u32 = 60;
/// Columns of the days left; the last is "more".
const LEFT: usize = 31;

type Covered = BTreeMap<LgCode, Coverage>;

pub(super) async fn page(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "progress.html", |desk| {
        let lang = desk.lang;
        let covered = desk.board.coverage();
        let funnel = desk.board.funnel();
        let all = funnel.first().copied().unwrap_or(0);
        let steps: Vec<_> = Milestone::ALL
            .iter()
            .zip(funnel)
            .map(|(step, count)| {
                let word = lang.pick(step.japanese(), step.english());
                context! { word, count, percent => chart::percent(count, all), bar => chart::bar(count, all) }
            })
            .collect();
        let left = desk.board.days_left(desk.today, LEFT);
        let hints: Vec<String> = left
            .iter()
            .enumerate()
            .map(|(days, count)| lang.pick(format!("残り{days}日：{count}"), format!("{days} days left: {count}")))
            .collect();
        let open: u64 = left.iter().sum();
        let title = lang.pick(format!("取得期限までの日数、未取得{open}件"), format!("days left, {open} open"));
        let days = desk.board.days(desk.today.minus_days(DAYS - 1), desk.today);
        let authorities = desk.view.rules().authorities.all();
        let missing: Vec<_> = authorities.iter().filter(|a| !covered.contains_key(&a.code)).collect();
        Ok(context! {
            steps, all, open, days => chart::days(lang, &days, false),
            left => chart::bars(&left, 72, &title, &hints, None), left_most => left.iter().max().copied(),
            urgent => left.iter().take(4).sum::<u64>(),
            map => map(lang, authorities, covered), written => authorities.len() - missing.len(), authorities => authorities.len(),
            prefectures => by_prefecture(lang, authorities, covered),
            missing => missing
                .iter()
                .map(|a| context! { code => a.code.as_str(), name => a.name, prefecture => a.prefecture, centres => a.centres.len() })
                .collect::<Vec<_>>(),
        })
    })
    .await
}

pub(super) async fn prefecture(
    State(console): State<Arc<Console>>,
    Path(code): Path<String>,
    visit: Visit,
) -> Response {
    show(console, visit, "prefecture.html", move |desk| {
        let tile = TILES.iter().find(|tile| tile.code == code).ok_or(Trouble::Missing)?;
        let covered = desk.board.coverage();
        let authorities: Vec<_> = desk
            .view
            .rules()
            .authorities
            .all()
            .iter()
            .filter(|a| a.code.prefecture() == tile.code)
            .map(|a| {
                let of = TenantId { authority: a.code, serial: 0 }..=TenantId { authority: a.code, serial: u16::MAX };
                let rows: Vec<_> = desk.board.tenants.range(of).map(|(_, card)| tenants::row(desk, card)).collect();
                let known = covered.get(&a.code);
                context! {
                    code => a.code.as_str(), name => a.name, rows, written => known.is_some(),
                    expected => a.centres.len(), collected => known.map_or(0, |c| c.collected), nudge => nudge(desk, a),
                }
            })
            .collect();
        Ok(context! { name => desk.lang.pick(tile.ja, tile.en), code => tile.code, authorities })
    })
    .await
}

/// What an authority that has not written may be sent, for staff to copy.
fn nudge(desk: &Desk<'_>, authority: &Authority) -> Value {
    let from = desk.view.rules().schedule.certificates_from;
    let text = format!(
        "{}　帰国者フォローアップシステムご担当者様\n\n平素よりお世話になっております。\n帰国者フォローアップシステムの利用開始にあたり、貴自治体及び保健所の\nメールアドレスのご連絡を、本日時点でまだ頂いておりません。\n\n証明書の発行は{}から順次行います。お手数ですが、厚生労働省からの\n事務連絡の様式により、メールアドレスをご連絡くださいますようお願いいたします。\n既にご連絡を頂いている場合は、行き違いをご容赦ください。\n",
        authority.name,
        from.official(),
    );
    context! { site => authority.site, text }
}

fn sum<'a>(authorities: impl Iterator<Item = &'a Authority>, covered: &Covered) -> Coverage {
    authorities.fold(Coverage::default(), |sum, authority| {
        let of = covered.get(&authority.code).copied().unwrap_or_default();
        Coverage {
            authorities: sum.authorities + 1,
            registered: sum.registered + of.registered,
            tenants: sum.tenants + of.tenants,
            collected: sum.collected + of.collected,
            unreachable: sum.unreachable + of.unreachable,
        }
    })
}

fn of_tile(tile: &Tile, authorities: &[Authority], covered: &Covered) -> Coverage {
    sum(authorities.iter().filter(|a| a.code.prefecture() == tile.code), covered)
}

/// The table beside the map: the same numbers in words.
fn by_prefecture(lang: Lang, authorities: &[Authority], covered: &Covered) -> Vec<Value> {
    let row = |tile: &Tile| {
        let of = of_tile(tile, authorities, covered);
        context! {
            code => tile.code, name => lang.pick(tile.ja, tile.en), registered => of.registered,
            authorities => of.authorities, tenants => of.tenants, collected => of.collected, unreachable => of.unreachable,
        }
    };
    TILES.iter().map(row).collect()
}

/// 47 tiles, darker the more authorities of the prefecture have written; each leads to its prefecture.
fn map(lang: Lang, authorities: &[Authority], covered: &Covered) -> Value {
    let title = lang.pick("都道府県ごとの登録状況", "Coverage by prefecture");
    let mut svg = format!("<svg class=\"tiles\" viewBox=\"0 0 140 110\" role=\"group\" aria-label=\"{title}\">");
    for tile in &TILES {
        let of = of_tile(tile, authorities, covered);
        let shade = match chart::percent(of.registered, of.authorities) {
            0 => 0,
            share @ 1..50 => 1 + share / 50,
            50..100 => 2,
            _ => 3,
        };
        let late = if of.unreachable > 0 { " late" } else { "" };
        let name = lang.pick(tile.ja, tile.en.get(..3).unwrap_or(tile.en));
        let words = lang.pick(
            format!("{}：{}自治体中{}登録、{}機関", tile.ja, of.authorities, of.registered, of.tenants),
            format!("{}: {} of {} authorities, {} tenants", tile.en, of.registered, of.authorities, of.tenants),
        );
        let (x, y) = (u32::from(tile.column) * 10, u32::from(tile.row) * 10);
        let _ = write!(
            svg,
            "<a href=\"/progress/{}\"><g class=\"s{shade}{late}\">\
             <rect x=\"{x}.3\" y=\"{y}.3\" width=\"9.4\" height=\"9.4\" rx=\"1\"><title>{words}</title></rect>\
             <text x=\"{}\" y=\"{}.4\">{name}</text> <text class=\"n\" x=\"{}\" y=\"{}.1\">{}/{}</text></g></a>",
            tile.code,
            x + 5,
            y + 4,
            x + 5,
            y + 8,
            of.registered,
            of.authorities,
        );
    }
    svg.push_str("</svg>");
    Value::from_safe_string(svg)
}
