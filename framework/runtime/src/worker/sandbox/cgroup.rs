//! Control groups: limits on memory and processes that hold between two looks of the watchdog, and the least share of the
//! processors, which holds for every session that is begun inside as well.
//!
//! A guard makes a group below its own, or beside it, and joins it; whoever is started joins with it. The supervisor removes
//! it when all is over. Both versions are known: in the first one each controller has a tree of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::policy::ProcessLimits;

/// The beginning of a group's name; the guard's process id follows.
const PREFIX: &str = "understudy-";
/// So much more than the limit, so that the watchdog ends it first and says why.
const SLACK: u64 = 4;
/// Processes that a guard needs beside those of its worker.
const MORE_PROCESSES: u64 = 32;

/// A place where a group can be made.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    folder: PathBuf,
    /// What is limited by writing what to which file.
    memory: Option<&'static str>,
    processes: Option<&'static str>,
    /// What gives the least of the processors there is, where others want them, and how that is written.
    processors: Option<[&'static str; 2]>,
}

/// Makes a group for this process and joins it; what it limits, or why there is none.
pub(super) fn join(limits: ProcessLimits) -> Result<String, String> {
    let mut limited = Vec::new();
    let mut problem = "this process has no group of its own".to_owned();
    for place in places() {
        match join_at(&place, limits) {
            Ok(what) => limited.extend(what),
            Err(error) => problem = error.to_string(),
        }
    }
    limited.sort_unstable();
    limited.dedup();
    if limited.is_empty() {
        Err(problem)
    } else {
        Ok(limited.join(", "))
    }
}

fn join_at(place: &Place, limits: ProcessLimits) -> io::Result<Vec<&'static str>> {
    let group = place.folder.join(format!("{PREFIX}{}", std::process::id()));
    fs::create_dir(&group)?;
    let joined = (|| {
        let mut limited = Vec::new();
        if let (Some(file), Some(bytes)) = (place.memory, limits.memory_bytes) {
            fs::write(group.join(file), (bytes + bytes / SLACK).to_string())?;
            limited.push("memory");
        }
        if let (Some(file), Some(count)) = (place.processes, limits.processes) {
            let most = u64::from(count) + MORE_PROCESSES;
            fs::write(group.join(file), most.to_string())?;
            limited.push("processes");
        }
        if let Some([file, least]) = place.processors {
            // A shadow that comes last is worth having, and no reason to do without the rest.
            if fs::write(group.join(file), least).is_ok() {
                limited.push("processors");
            }
        }
        fs::write(group.join("cgroup.procs"), "0")?;
        Ok(limited)
    })();
    if joined.is_err() {
        let _ = fs::remove_dir(&group);
    }
    joined
}

/// Removes the groups of a guard that has ended. Whether one of them ran out of memory is told.
pub(in crate::worker) fn remove(guard: u32) -> bool {
    let mut ran_out = false;
    for place in places() {
        let group = place.folder.join(format!("{PREFIX}{guard}"));
        if group.is_dir() {
            ran_out |= ran_out_of_memory(&group);
            // Whoever was killed is gone in a moment.
            for _ in 0..50 {
                if fs::remove_dir(&group).is_ok() || !group.exists() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
        sweep(&place.folder);
    }
    ran_out
}

/// Groups whose supervisor was killed before it could remove them. One that has processes is not removed by the system.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let guard = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if guard.is_some_and(|guard| !Path::new("/proc").join(guard).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

fn ran_out_of_memory(group: &Path) -> bool {
    let counts = ["memory.events", "memory.oom_control"];
    counts.iter().any(|file| {
        let text = fs::read_to_string(group.join(file)).unwrap_or_default();
        let killed = text
            .lines()
            .filter_map(|line| line.strip_prefix("oom_kill "));
        killed.into_iter().any(|count| count.trim() != "0")
    })
}

/// The places where this process may find room for a group: the trees that it stands in.
fn places() -> Vec<Place> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    of_first(&own, &mounts)
        .into_iter()
        .chain(of_second(&own, &mounts))
        .collect()
}

/// The first version: a tree for each controller.
fn of_first(own: &str, mounts: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for controller in ["memory", "pids", "cpu"] {
        let path = own.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            controllers
                .split(',')
                .any(|one| one == controller)
                .then_some(path)
        });
        let mount = mounted(mounts, "cgroup", Some(controller));
        if let (Some(path), Some(mount)) = (path, mount) {
            places.push(Place {
                folder: mount.of(path),
                memory: (controller == "memory").then_some("memory.limit_in_bytes"),
                processes: (controller == "pids").then_some("pids.max"),
                processors: (controller == "cpu").then_some(["cpu.shares", "2"]),
            });
        }
    }
    places
}

/// The second version: one tree, whose groups have either processes or children. So the group stands beside this
/// process's own, if the one above hands both controllers on.
fn of_second(own: &str, mounts: &str) -> Option<Place> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let own = mounted(mounts, "cgroup2", None)?.of(path);
    let hands_on = |folder: &Path| {
        let handed = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
        let handed: Vec<&str> = handed.split_whitespace().collect();
        handed.contains(&"memory") && handed.contains(&"pids")
    };
    let folder = [Some(own.as_path()), own.parent()]
        .into_iter()
        .flatten()
        .find(|folder| hands_on(folder))?
        .to_owned();
    Some(Place {
        folder,
        memory: Some("memory.max"),
        processes: Some("pids.max"),
        processors: Some(["cpu.weight", "1"]),
    })
}

/// Where a tree is mounted.
#[derive(PartialEq, Eq, Debug)]
struct Mount<'a> {
    /// The group that stands at the mount point.
    root: &'a str,
    point: &'a str,
}

impl Mount<'_> {
    fn of(&self, path: &str) -> PathBuf {
        let below = path.strip_prefix(self.root).unwrap_or(path);
        Path::new(self.point).join(below.trim_start_matches('/'))
    }
}

/// A line of `/proc/self/mountinfo`, after proc(5): root and mount point are its fourth and fifth field; behind a dash
/// stand the kind and, as the last one, the options of the tree.
fn mounted<'a>(mounts: &'a str, kind: &str, controller: Option<&str>) -> Option<Mount<'a>> {
    mounts.lines().find_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        let mut back = back.split_whitespace();
        let is_kind = back.next()? == kind;
        let options = back.last()?;
        let has = controller
            .is_none_or(|controller| options.split(',').any(|option| option == controller));
        let fields: Vec<&str> = front.split_whitespace().collect();
        (is_kind && has).then_some(Mount {
            root: fields.get(3)?,
            point: fields.get(4)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
30 23 0:26 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
33 23 0:29 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory
34 23 0:30 /box /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids
";

    #[test]
    fn each_controller_of_the_first_version_has_its_place() {
        let own = "5:memory:/work/one\n4:pids:/box/two\n0::/work\n";
        let places = of_first(own, MOUNTS);
        let folders: Vec<_> = places.iter().map(|place| place.folder.as_path()).collect();
        assert_eq!(
            folders,
            [
                Path::new("/sys/fs/cgroup/memory/work/one"),
                Path::new("/sys/fs/cgroup/pids/two")
            ]
        );
        assert_eq!(places[0].memory, Some("memory.limit_in_bytes"));
        assert_eq!(places[1].processes, Some("pids.max"));
    }

    #[test]
    fn the_tree_of_the_second_version_is_found() {
        let mount = mounted(MOUNTS, "cgroup2", None).unwrap();
        assert_eq!(mount.of("/work"), Path::new("/sys/fs/cgroup/unified/work"));
        assert_eq!(mounted("nonsense", "cgroup2", None), None);
    }
}
