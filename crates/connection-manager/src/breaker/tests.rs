use super::share::Stance;
use super::*;

const PAUSE: Duration = Duration::from_secs(1);

fn breaker() -> Breaker {
    let settings = BreakerSettings { failures: 3, open_for: PAUSE, open_for_max: PAUSE * 3, probes: 2 };
    Breaker::new("db:1", settings)
}

fn opened() -> Breaker {
    let breaker = breaker();
    assert_eq!([breaker.failed(), breaker.failed(), breaker.failed()], [false, false, true]);
    breaker
}

fn left(breaker: &Breaker) -> Duration {
    let error = breaker.admit().expect_err("the circuit is open");
    assert_eq!(*error.kind(), DatabaseErrorKind::CircuitOpen);
    error.retry_after().expect("a time")
}

#[tokio::test(start_paused = true)]
async fn failures_open_it_only_in_a_row() {
    let breaker = breaker();
    for _ in 0..10 {
        assert!(!breaker.failed());
        assert!(!breaker.failed());
        breaker.succeeded();
    }
    assert_eq!(breaker.circuit(), Circuit::Closed);
    assert!(!breaker.admit().expect("closed").is_probe());
    assert_eq!(opened().circuit(), Circuit::Open);
}

#[tokio::test(start_paused = true)]
async fn two_knocks_in_a_row_that_nobody_answers_open_it() {
    let breaker = breaker();
    for _ in 0..10 {
        assert!(!breaker.unheard());
        breaker.succeeded();
        assert!(!breaker.unheard());
        breaker.returned();
    }
    assert!(!breaker.failed() && !breaker.unheard());
    assert!(breaker.unheard());
    assert_eq!(left(&breaker), PAUSE);
    assert!(!breaker.unheard(), "it is open");
    let never = Breaker::always_closed();
    assert!(!never.unheard() && !never.unheard());
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_says_when_to_come_back() {
    let breaker = opened();
    assert_eq!(left(&breaker), PAUSE);
    tokio::time::advance(PAUSE / 4).await;
    assert_eq!(left(&breaker), PAUSE / 4 * 3);
}

#[tokio::test(start_paused = true)]
async fn exactly_as_many_probes_pass_as_there_are_and_they_close_it() {
    let breaker = opened();
    tokio::time::advance(PAUSE).await;
    let (one, two) = (breaker.admit().expect("a probe"), breaker.admit().expect("a probe"));
    assert!(one.is_probe() && two.is_probe());
    assert!(breaker.admit().is_err());
    one.succeeded();
    assert!(breaker.admit().is_err(), "one has succeeded and one is under way: two in all");
    assert_eq!(breaker.circuit(), Circuit::HalfOpen);
    two.succeeded();
    assert_eq!(breaker.circuit(), Circuit::Closed);
    assert!(!breaker.failed() && !breaker.failed(), "the count begins anew");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_up_makes_room_for_another() {
    let breaker = opened();
    tokio::time::advance(PAUSE).await;
    let (one, two) = (breaker.admit().expect("a probe"), breaker.admit().expect("a probe"));
    drop(one);
    let three = breaker.admit().expect("the free slot");
    two.succeeded();
    three.succeeded();
    assert_eq!(breaker.circuit(), Circuit::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_opens_it_for_longer_up_to_a_limit() {
    let breaker = opened();
    for pause in [2, 3, 3] {
        tokio::time::advance(PAUSE * 3).await;
        let (one, two) = (breaker.admit().expect("a probe"), breaker.admit().expect("a probe"));
        one.failed();
        assert_eq!(left(&breaker), PAUSE * pause);
        // It belongs to a round that is over.
        two.succeeded();
        assert_eq!(breaker.circuit(), Circuit::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn the_pause_is_short_again_after_a_recovery() {
    let breaker = opened();
    tokio::time::advance(PAUSE).await;
    breaker.admit().expect("a probe").failed();
    tokio::time::advance(PAUSE * 2).await;
    breaker.admit().expect("a probe").succeeded();
    breaker.admit().expect("a probe").succeeded();
    assert_eq!([breaker.failed(), breaker.failed(), breaker.failed()], [false, false, true]);
    assert_eq!(left(&breaker), PAUSE);
}

#[tokio::test(start_paused = true)]
async fn a_success_in_the_meantime_ends_the_pause() {
    let breaker = opened();
    breaker.succeeded();
    assert!(breaker.admit().expect("a probe").is_probe());
}

#[tokio::test(start_paused = true)]
async fn the_servers_return_ends_the_pause_and_the_round_of_probes() {
    let breaker = opened();
    breaker.returned();
    let (one, two) = (breaker.admit().expect("a probe"), breaker.admit().expect("a probe"));
    assert!(breaker.admit().is_err());
    breaker.returned();
    let (three, four) = (breaker.admit().expect("a probe"), breaker.admit().expect("a probe"));
    assert!(three.is_probe() && four.is_probe());
    assert!(breaker.admit().is_err(), "no more than there are probes");
    // They were sent into the silence.
    one.failed();
    drop(two);
    assert_eq!(breaker.circuit(), Circuit::HalfOpen);
    assert!(breaker.admit().is_err());
    three.succeeded();
    four.succeeded();
    assert_eq!(breaker.circuit(), Circuit::Closed);
    breaker.returned();
    assert!(!breaker.admit().expect("closed").is_probe());
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_never_opens_is_one_with_no_limit_of_failures() {
    let breaker = Breaker::new("db:1", BreakerSettings { failures: 0, ..BreakerSettings::default() });
    assert!((0..100).all(|_| !breaker.failed()));
    assert_eq!(breaker.circuit(), Circuit::Closed);
}

/// One that shares its circuit with others, who answer.
fn shared() -> Breaker {
    let breaker = breaker();
    assert!(breaker.0.share.set(Share::default()).is_ok());
    breaker.0.share.get().expect("set").note(true);
    breaker
}

fn fail(breaker: &Breaker) {
    assert_eq!([breaker.failed(), breaker.failed(), breaker.failed()], [false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn what_others_are_told_is_the_last_that_happened() {
    let breaker = shared();
    fail(&breaker);
    assert_eq!(breaker.0.take_news(), Some(Word::Open(PAUSE)));
    assert_eq!(breaker.0.take_news(), None);
    breaker.0.put_back(Word::Open(PAUSE));
    breaker.returned();
    breaker.0.grant(2);
    breaker.admit().expect("a probe").succeeded();
    breaker.admit().expect("a probe").succeeded();
    breaker.0.put_back(Word::Open(PAUSE));
    assert_eq!(breaker.0.take_news(), Some(Word::Closed), "what is older goes unsaid");
}

#[tokio::test(start_paused = true)]
async fn where_it_is_shared_a_probe_needs_a_right() {
    let breaker = shared();
    fail(&breaker);
    assert_eq!(left(&breaker), PAUSE);
    breaker.0.grant(2);
    tokio::time::advance(PAUSE).await;
    assert!(left(&breaker) < PAUSE, "a right is had soon, but not before the pause is over");
    assert_eq!(breaker.0.stance(), Stance::Probing { wanted: true, busy: false });
    breaker.0.grant(1);
    let one = breaker.admit().expect("a probe");
    assert_eq!(breaker.0.stance(), Stance::Probing { wanted: false, busy: true });
    assert!(breaker.admit().is_err(), "another process has the other");
    assert!(!breaker.0.revoke(), "it is in use");
    one.succeeded();
    let two = breaker.admit().expect("its second");
    assert!(breaker.admit().is_err());
    two.succeeded();
    assert_eq!((breaker.circuit(), breaker.0.stance()), (Circuit::Closed, Stance::Closed));
    fail(&breaker);
    tokio::time::advance(PAUSE).await;
    assert!(breaker.admit().is_err(), "the rights were those of a round that is over");
}

#[tokio::test(start_paused = true)]
async fn a_right_that_nobody_uses_can_be_taken_back() {
    let breaker = shared();
    fail(&breaker);
    tokio::time::advance(PAUSE).await;
    breaker.0.grant(2);
    drop(breaker.admit().expect("a probe"));
    assert!(breaker.0.revoke());
    assert!(breaker.admit().is_err());
}

#[tokio::test(start_paused = true)]
async fn while_the_others_are_not_heard_each_probes_by_itself() {
    let breaker = shared();
    fail(&breaker);
    tokio::time::advance(PAUSE).await;
    assert!(breaker.admit().is_err());
    breaker.0.share.get().expect("set").note(false);
    let (one, two) = (breaker.admit().expect("a probe"), breaker.admit().expect("a probe"));
    assert!(breaker.admit().is_err());
    one.succeeded();
    two.succeeded();
    assert_eq!(breaker.circuit(), Circuit::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_word_of_others_opens_nothing_once_the_server_has_answered() {
    let breaker = shared();
    assert!(breaker.0.suspect() && breaker.0.is_suspect());
    breaker.succeeded();
    assert!(!breaker.0.is_suspect() && !breaker.0.adopt_open(PAUSE));
    assert_eq!(breaker.circuit(), Circuit::Closed);

    assert!(breaker.0.suspect() && breaker.0.adopt_open(PAUSE * 20));
    assert_eq!(left(&breaker), PAUSE * 3, "no longer than by itself");
    assert!(!breaker.0.suspect(), "it is open");
    assert_eq!(breaker.0.take_news(), None, "the others know it");
    assert!(breaker.0.adopt_closed() && !breaker.0.adopt_closed());
    assert!(!breaker.admit().expect("closed").is_probe());
}
