//! The disk is full, then it has room again.
//!
//! The database is on a small file system of its own (tmpfs) that a file fills up. Where nobody may
//! mount one (or if `CHAOS_WITHOUT_MOUNT` is set), SQLite's files may not grow (a limit of the
//! process), and PostgreSQL answers what it answers on a full disk (SQLSTATE 53100, in a trigger).

use crate::checks::Known;
use crate::cluster::Cluster;
use crate::load::{CALLERS, Target, under_load};
use crate::node::{Node, Site};
use crate::size::Turn;
use crate::support::{Backend, TestDatabase};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A mounted file system; unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// On top of an empty folder; `None` if nobody may.
    fn mount(folder: &Path) -> Option<Self> {
        if std::env::var_os("CHAOS_WITHOUT_MOUNT").is_some() {
            return None;
        }
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256m", "tmpfs"]);
        let mounted = mount.arg(folder).stderr(Stdio::null()).status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(folder.to_owned()))
    }

    /// Fills it to its last byte; dropping the file would not empty it, [`Self::empty`] does.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.ballast()).unwrap();
        let block = [0; 4096];
        let mut written = 0;
        while file.write_all(&block).is_ok() {
            written += block.len();
        }
        assert!(written > 0, "it was full already");
    }

    fn empty(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that is about to be stopped may still hold a file.
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

/// Lets the disk be full and have room again under load, then checks everything.
fn prove(mut turn: Turn, site: &Site, fill: impl Fn(&Node), empty: impl Fn(&Node)) {
    let target = Target::default();
    let mut node = site.start();
    let mut known = Known::default();
    target.set([node.address]);
    while turn.goes_on() {
        let calls = under_load(&target, |load| {
            load.acknowledges(turn.choose(1..40));
            fill(&node);
            load.refuses(5 * CALLERS);
            empty(&node);
            load.acknowledges(20);
        });
        known.check(site, &mut node, &calls);
    }
    assert_eq!(node.terminate().code(), Some(0));
}

#[test]
fn the_disk_is_full_on_sqlite() {
    let turn = Turn::take("the disk is full, SQLite");
    let database = TestDatabase::empty(Backend::Sqlite);
    let disk = SmallDisk::mount(&database.dir());
    match &disk {
        Some(disk) => prove(
            turn,
            &Site::new(database),
            |_| disk.fill(),
            |_| disk.empty(),
        ),
        None => prove(
            turn,
            &Site::new(database),
            |node| node.limit_files(Some(4096)),
            |node| node.limit_files(None),
        ),
    }
}

#[test]
fn the_disk_is_full_on_postgresql() {
    let turn = Turn::take("the disk is full, PostgreSQL");
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path());
    let cluster = Cluster::start();
    let database = TestDatabase::on_server(&cluster.url());
    match &disk {
        Some(disk) => {
            cluster.give_to_owner(folder.path());
            let place = folder.path().display();
            let admin = TestDatabase::on_server(&cluster.url());
            admin.execute(&format!("CREATE TABLESPACE small LOCATION '{place}'"));
            let moved = database.name();
            admin.execute(&format!("ALTER DATABASE {moved} SET TABLESPACE small"));
            prove(
                turn,
                &Site::new(database),
                |_| disk.fill(),
                |_| disk.empty(),
            );
        }
        None => {
            let site = Site::new(database);
            let database = &site.database;
            database.execute(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 RAISE EXCEPTION 'could not extend file: kein Platz mehr' USING ERRCODE = '53100'; END $$",
            );
            let fill = |_: &Node| {
                database.execute(
                    "CREATE TRIGGER full_disk BEFORE INSERT ON users EXECUTE FUNCTION full_disk()",
                );
            };
            let empty = |_: &Node| database.execute("DROP TRIGGER full_disk ON users");
            prove(turn, &site, fill, empty);
        }
    }
}
