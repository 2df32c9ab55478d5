//! Jobs: they stand in the store and go on after a restart; a re-issue of many is one request for two.

use crate::site::{over, site};
use crate::world::{World, relayed, who, world};
use annai::crypto::MasterKey;
use annai::domain::RowNo;
use annai::engine::jobs::{JobNo, JobVerb, Pace, Target};
use annai::engine::{Chance, Engine};
use annai::store::{Options, Store};
use std::sync::Arc;

/// annai ends and is started again.
fn restarted(world: World) -> World {
    let World { engine, store, clock, hand, dir } = world;
    engine.commit().unwrap();
    let setup = engine.setup().clone();
    drop((engine, store));
    let store = Arc::new(Store::open(&dir.path().join("state"), Options::default()).unwrap());
    let (keys, chance) = (MasterKey::from_bytes([7; 32]), Chance::Seeded { seed: 2, drawn: 0 });
    let engine = Engine::open(Arc::clone(&store), setup, keys, clock.clone(), chance).unwrap();
    World { engine, store, clock, hand, dir }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_after_a_restart() {
    let mut world = world(2);
    world.everybody();
    world.deliver(|_| relayed());
    let last = (1..).take_while(|no| world.engine.row(RowNo(*no)).is_ok()).last().unwrap();
    let targets: Vec<Target> = (1..=last).map(|no| Target::Letter(RowNo(no))).collect();
    let waiting = (1..=last).filter(|no| world.engine.row(RowNo(*no)).unwrap().delivery.waits_for_wave()).count();
    assert!(waiting == 3 && targets.len() > 6, "{waiting} of {last}");
    let verb = JobVerb::Withdraw { reason: "点検のため".to_owned() };
    assert!(world.engine.begin_job(&who("audit"), verb.clone(), &targets).is_err(), "the ministry begins nothing");
    let no = world.engine.begin_job(&who("op"), verb, &targets).unwrap();
    // Halted after the first, it stands still; taken up again, it does one more before annai ends.
    assert!(world.engine.go_on(no).unwrap());
    world.engine.steer_job(&who("op"), no, Pace::Halted).unwrap();
    assert!(!world.engine.go_on(no).unwrap());
    world.engine.steer_job(&who("ap"), no, Pace::Running).unwrap();
    assert!(world.engine.go_on(no).unwrap());
    let world = restarted(world);
    assert_eq!(world.engine.view().job(no).unwrap().at(), 2);

    // Nobody asks it to, and it goes on: the console takes it up as it starts.
    let view = world.engine.view();
    let site = over(world).await;
    let op = site.log_in("op").await;
    let page = site.until(&op, &format!("/jobs/{}", no.0), "終了").await;
    assert!(page.contains("点検のため") && page.contains("できなかったもの"), "{page}");
    let job = view.job(JobNo(1)).unwrap();
    assert_eq!((job.succeeded, job.refused), (3, u32::try_from(targets.len() - 3).unwrap()));
    let refused = view.job_refusals(no).unwrap();
    let named: Vec<Target> = refused.iter().map(|refusal| refusal.target).collect();
    let kept: Vec<Target> = targets
        .into_iter()
        .filter(|target| {
            let Target::Letter(no) = target else { return false };
            !matches!(view.row(*no).unwrap().delivery, annai::workflow::delivery::Delivery::Withdrawn { .. })
        })
        .collect();
    assert_eq!(named, kept, "each once, in order");
    let acts = view.journal_tail(1000).unwrap();
    let acts = acts
        .iter()
        .filter(|line| line.text.iter().any(|text| text.contains("点検のため") && text.contains("取り消しました")));
    assert_eq!(acts.count(), 3, "nothing is done twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_re_issues_are_one_request() {
    let site = site().await;
    let (op, ap) = (site.log_in("op").await, site.log_in("ap").await);
    let form =
        [("of", "tenants"), ("verb", "reissue"), ("all", "1"), ("q", "id:31"), ("back", "/tenants"), ("why", "lost")];
    let asked = site.post(&op, "/bulk/run", &form).await;
    assert_eq!(asked.location(), "/approvals?no=4&done=asked", "{}", asked.body);
    let page = site.get(&ap, "/approvals").await.body;
    assert!(page.contains("3機関の証明書を一括して再発行"), "{page}");
    assert_eq!(site.post(&op, "/act", &[("verb", "approve"), ("ask", "4")]).await.status, 403);
    assert_eq!(site.post(&ap, "/act", &[("verb", "approve"), ("ask", "4"), ("back", "/approvals")]).await.status, 303);
    let tenant = site.get(&op, "/tenants/310000-01").await.body;
    assert!(tenant.contains("証明書 第2回"), "{tenant}");
    let audit = site.get(&op, "/audit?kind=staff").await.body;
    assert!(audit.contains("一括再発行：3件"), "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_not_done_stands_on_the_first_page() {
    let mut world = world(1);
    world.everybody();
    let begun = world.engine.begin_job(&who("op"), JobVerb::Retry, &[Target::Letter(RowNo(1))]).unwrap();
    world.engine.steer_job(&who("op"), begun, Pace::Halted).unwrap();
    let site = over(world).await;
    let op = site.log_in("op").await;
    let today = site.until(&op, "/", "途中で停止しています").await;
    assert!(today.contains("href=\"/jobs/1\"") && today.contains("0 / 1"), "{today}");
    assert_eq!(site.post(&op, "/jobs/1/resume", &[]).await.status, 303);
    site.until(&op, "/jobs/1", "終了").await;
    assert!(!site.get(&op, "/").await.body.contains("/jobs/1"), "what is done stands under the jobs only");
    assert!(site.get(&op, "/outbox?show=all").await.body.contains("href=\"/jobs\""));
}
