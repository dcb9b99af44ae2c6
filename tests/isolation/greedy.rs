//! Shadows that take more than they may.

use super::scene::{attack, attack_under, attack_without};

#[test]
fn a_busy_loop_on_all_cores_ends_at_the_wall_limit() {
    attack_under(
        ", limits: { wall: 1s }",
        "for core in 1 2 3 4; do (while :; do :; done) & done; while :; do :; done",
    )
    .expect_verdict("inconclusive: the new version (v2) ran past its limit of 1 s and was ended");
}

#[test]
fn ten_times_the_memory_ends_at_the_limit() {
    attack_under(
        ", limits: { memory: 300MB, wall: 60s }",
        "python3 -c 'import time; x = b\"x\" * 3_000_000_000; time.sleep(600)'",
    )
    .expect_verdict_like(
        "inconclusive: the new version (v2) used ",
        " of memory, more than its limit of 300.0 MB, and was ended",
    );
}

#[test]
fn memory_of_processes_that_left_the_group_counts_too() {
    attack_under(
        ", limits: { memory: 300MB, wall: 60s }",
        "setsid python3 -c 'import time; x = b\"x\" * 600_000_000; time.sleep(600)' & wait",
    )
    .expect_verdict_like(
        "inconclusive: the new version (v2) used ",
        " of memory, more than its limit of 300.0 MB, and was ended",
    );
}

#[test]
fn filling_the_disk_ends_at_the_limit() {
    for folder in ["$UNDERSTUDY_OUTPUT", "$TMPDIR"] {
        let attack = format!(
            "for file in 1 2 3 4 5 6 7 8; do head -c 20000000 /dev/zero > \"{folder}/$file\"; done; sleep 600"
        );
        attack_under(", limits: { disk: 50MB, wall: 60s }", &attack).expect_verdict_like(
            "inconclusive: the new version (v2) wrote ",
            ", more than its limit of 50.0 MB, and was ended",
        );
    }
}

#[test]
fn one_huge_file_is_cut_off_at_once() {
    let attacked = attack_under(
        ", limits: { disk: 50MB, wall: 60s }",
        "head -c 60000000 /dev/zero > \"$UNDERSTUDY_OUTPUT/rows.csv\" || exit 7",
    );
    attacked.expect_verdict_like("inconclusive: the new version (v2) ", "");
}

#[test]
fn file_descriptors_run_out_for_the_shadow_alone() {
    attack_under(
        ", limits: { files: 64 }",
        "python3 -c 'held = [open(\"/dev/null\") for _ in range(5000)]'",
    )
    .expect_verdict_like(
        "inconclusive: the new version (v2) failed: program `sh` exited with code 1; the end of its standard error:",
        "Too many open files: '/dev/null'",
    );
}

#[test]
fn a_fork_bomb_is_put_out() {
    for parts in ["", "namespaces"] {
        // One of a shell dies out by itself where a fork fails, before anybody has counted; one that tries again at
        // once holds locks of the kernel's that every start of a program on the machine needs.
        let shop = super::scene::shop(
            "python3 -c '
import os, time
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.1)'",
            ", limits: { processes: 64, wall: 60s }",
        );
        super::scene::attacked(shop, parts).expect_verdict_like(
            "inconclusive: the new version (v2) had ",
            " processes and threads, more than its limit of 64, and was ended",
        );
    }
}

#[test]
fn a_deadlock_ends_at_the_wall_limit() {
    attack_under(
        ", limits: { wall: 1s }",
        "python3 -c 'import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()'",
    )
    .expect_verdict("inconclusive: the new version (v2) ran past its limit of 1 s and was ended");
}

#[test]
fn whoever_will_not_go_is_made_to() {
    attack_under(
        ", limits: { wall: 1s }",
        "trap '' TERM INT HUP QUIT\nwhile :; do sleep 1; done",
    )
    .expect_verdict("inconclusive: the new version (v2) ran past its limit of 1 s and was ended");
}

#[test]
fn a_stack_that_overflows_is_the_shadow_s_own() {
    attack_under("", "f() { f; }; f").expect_verdict_like(
        "inconclusive: the new version (v2) failed: program `sh` ",
        "",
    );
}

#[test]
fn a_gigabyte_of_log_is_kept_short() {
    let attacked = attack("yes 'the quick brown fox' | head -c 1000000000; echo the end >&2")
        .expect_verdict("identical");
    let log = attacked.stdout();
    assert!(log.starts_with("the quick brown fox\n"));
    assert!(log.contains("bytes are left out here"));
    assert!(log.len() < 10 << 20, "{}", log.len());
    assert_eq!(attacked.stderr(), "the end\n");
}

#[test]
fn a_rest_of_processes_ends_with_the_worker_wherever_it_went() {
    for parts in ["", "namespaces", "landlock", "namespaces,landlock"] {
        let attacked = attack_without(
            parts,
            "\
sleep 1000 &
setsid sleep 1001 > /dev/null 2>&1 < /dev/null &
(setsid sh -c 'sleep 1002 & sleep 1003' > /dev/null 2>&1 < /dev/null &)
python3 -c '
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 3)
        os.execvp(\"sleep\", [\"sleep\", \"1004\"])
    os._exit(0)
'
",
        );
        attacked.expect_verdict("identical");
    }
}
