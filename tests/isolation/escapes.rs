//! Shadows that reach for what is not theirs.

use std::net::{TcpListener, UdpSocket};

use super::scene::{attack, attack_without};

#[test]
fn the_live_output_is_out_of_reach_by_every_path() {
    for way in [
        "echo bad > \"$live/data.parquet\"",
        "echo bad >> \"$live/data.parquet\"",
        "echo bad > \"$live/more.parquet\"",
        "rm -f \"$live/data.parquet\"; rm -rf \"$here/live\"",
        "mv \"$here/live\" \"$here/gone\"",
        "mv \"$live/data.parquet\" \"$UNDERSTUDY_OUTPUT/\"",
        "truncate -s 0 \"$live/data.parquet\"",
        "ln -s \"$live/data.parquet\" \"$TMPDIR/link\"; echo bad > \"$TMPDIR/link\"",
        "ln -s \"$live\" \"$TMPDIR/folder\"; echo bad > \"$TMPDIR/folder/data.parquet\"",
        "ln \"$live/data.parquet\" \"$TMPDIR/hard\" && echo bad > \"$TMPDIR/hard\"",
        "cd \"$UNDERSTUDY_OUTPUT\"; up=..; while [ ! -e \"$up/live\" ]; do up=$up/..; done; echo bad > \"$up/live/totals/date=2026-01-31/data.parquet\"; cd \"$here\"",
        "exec 3< \"$live/data.parquet\"; echo bad > /proc/self/fd/3",
        "python3 -c 'import os, sys; fd = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY); os.open(\"data.parquet\", os.O_WRONLY | os.O_TRUNC, dir_fd=fd)' \"$live\"",
        "echo bad > \"/proc/$$/root$live/data.parquet\"",
        "echo bad > \"/proc/$$/cwd/live/totals/date=2026-01-31/data.parquet\"",
    ] {
        attack(way).expect_refused().expect_verdict("identical");
    }
}

#[test]
fn nothing_else_of_the_pipeline_is_in_reach() {
    for way in [
        "echo '5,Ann,50' >> data/orders.csv",
        "echo '# mine' >> understudy.yaml",
        "echo 'better: { Ann: live }' > flags.yaml",
        "echo SELECT > v1.sh",
        "mkdir -p store/ledger && echo bad > store/ledger/00000001.json",
        "rm -rf store/runs",
        "for file in $(find store -name invocation.json -o -name answer.json -o -name run.json); do echo bad > \"$file\"; done",
        "for file in $(find store/quarantine -name data.parquet -o -name result.json); do echo bad > \"$file\"; done; echo x > store/x",
        "for log in store/runs/*/logs/*; do echo bad > \"$log\"; done",
        "echo bad > \"$HOME/../../../x\"",
        "echo bad > /tmp/understudy-was-here",
        "echo bad > /dev/shm/understudy-was-here",
    ] {
        attack(way).expect_refused().expect_verdict("identical");
    }
}

#[test]
fn it_has_its_own_folders() {
    let attacked = attack(
        "touch \"$TMPDIR/mine\" \"$HOME/mine\" && mkdir \"$UNDERSTUDY_OUTPUT/.mine\" && rmdir \"$UNDERSTUDY_OUTPUT/.mine\" && echo done > /dev/null && mv \"$TMPDIR/mine\" \"$TMPDIR/yours\" && echo fine",
    )
    .expect_verdict("identical");
    assert_eq!(attacked.stdout(), "fine\n");
    assert_eq!(attacked.stderr(), "");
}

#[test]
fn what_no_sandbox_stops_is_found() {
    for (way, what) in [
        (
            "chmod 600 \"$live/data.parquet\"",
            "got another mode or owner",
        ),
        ("chmod 700 \"$live\"", "is something else now"),
        ("touch -d 2001-01-01 \"$live/data.parquet\"", "was written"),
        (
            "python3 -c 'import os, sys; os.setxattr(sys.argv[1], \"user.was\", b\"here\")' \"$live/data.parquet\"",
            "had its attributes changed",
        ),
    ] {
        let attacked = attack(way)
            .expect_alert("somebody else wrote where outputs are published: `")
            .expect_alert(what);
        let verdict = attacked.verdict();
        assert!(
            verdict.starts_with("inconclusive: somebody else wrote where outputs are published: `"),
            "{verdict}"
        );
    }
}

#[test]
fn without_walls_a_foreign_write_is_found() {
    let shop = super::scene::shop(
        &format!(
            "echo bad > \"$live/data.parquet\"{}",
            super::scene::AND_COPY
        ),
        "",
    );
    let ended = super::scene::run(&shop, "landlock").expect(0);
    assert_eq!(
        shop.read("live/totals/date=2026-01-31/data.parquet"),
        "bad\n"
    );
    let verdict = ended.verdict("totals");
    assert!(
        verdict.contains("somebody else wrote where outputs are published"),
        "{verdict}"
    );
    assert!(verdict.starts_with("inconclusive"), "{verdict}");
}

#[test]
fn the_network_is_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp_port = datagrams.local_addr().unwrap().port();
    let way = format!(
        "\
python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), timeout=2)'
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b\"x\", (\"127.0.0.1\", {udp_port}))'
python3 -c 'import socket; socket.socket().bind((\"127.0.0.1\", 0)); print(\"bound\")'
"
    );
    let nobody_came = || {
        listener.set_nonblocking(true).unwrap();
        datagrams.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "it connected");
        let mut byte = [0];
        assert!(datagrams.recv(&mut byte).is_err(), "it sent a datagram");
    };
    let attacked = attack(&way).expect_verdict("identical");
    nobody_came();
    assert!(attacked.stderr().contains("Error"), "{}", attacked.stderr());
    assert_eq!(attacked.stdout(), "");
    // Without namespaces Landlock still closes TCP.
    let tcp_only = format!(
        "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), timeout=2)'"
    );
    attack_without("namespaces", &tcp_only)
        .expect_refused()
        .expect_verdict("identical");
    nobody_came();
}

#[test]
fn declared_hosts_are_open_and_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let other_port = other.local_addr().unwrap().port();
    let way = format!(
        "\
python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), timeout=2)' && echo in
python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {other_port}), timeout=2)'{}",
        super::scene::AND_COPY
    );
    let shop = super::scene::shop(&way, &format!(", hosts: [\"127.0.0.1:{port}\"]"));
    let attacked = super::scene::attacked(shop, "")
        .expect_refused()
        .expect_verdict("identical");
    assert_eq!(attacked.stdout(), "in\n");
    listener.set_nonblocking(true).unwrap();
    other.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_ok());
    assert!(other.accept().is_err());
    let told = attacked.shop.understudy(&["report"]).stdout;
    let status = attacked.shop.understudy(&["status"]).stdout;
    assert!(
        status.contains("NOTE: not pinned: what totals v2 read at"),
        "{status}"
    );
    assert!(
        told.contains(&format!(
            "not pinned: what totals v2 read at 127.0.0.1:{port}"
        )),
        "{told}"
    );
}

#[test]
fn nobody_else_can_be_signalled_or_traced() {
    let mut bystander = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .unwrap();
    let pid = bystander.id();
    for parts in ["", "namespaces"] {
        let attacked = attack_without(
            parts,
            &format!(
                "kill -9 {pid}; kill -9 $PPID; cat /proc/{pid}/environ > /dev/null; echo still here"
            ),
        )
        .expect_verdict("identical");
        assert_eq!(attacked.stdout(), "still here\n", "{}", attacked.stderr());
        assert!(bystander.try_wait().unwrap().is_none(), "it was killed");
    }
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn no_device_no_mount_no_privilege() {
    for way in [
        "mknod \"$TMPDIR/disk\" b 8 0",
        "mount --bind /etc \"$TMPDIR\"",
        "mount -t tmpfs none \"$TMPDIR\"",
        "unshare -m true",
        "chown 65534 \"$live/data.parquet\"",
        "python3 -c 'import os; os.setuid(65534)'",
        "echo 1 > /proc/sys/kernel/pid_max",
    ] {
        attack(way).expect_refused().expect_verdict("identical");
    }
}

#[test]
fn its_priority_is_the_lowest() {
    let attacked = attack("nice; cat /proc/self/oom_score_adj; ulimit -c; ulimit -n")
        .expect_verdict("identical");
    assert_eq!(attacked.stdout(), "19\n1000\n0\n1024\n");
}
