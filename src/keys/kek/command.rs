//! A KEK that a program prints, such as the command line of a cloud's secret store.
//!
//! The program gets the node's environment, no input and no shell. It is ended, with everything
//! that it has started, when its time is up or when it prints too much. Its messages are not read:
//! they may hold a secret.

use crate::config::KekCommand;
use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// More than a KEK in base64 with white space around it, in bytes.
const LONGEST: usize = 256;

/// How often it is looked whether a program that has closed its output has ended.
const LOOK: Duration = Duration::from_millis(10);

/// The program, without its arguments.
pub(super) fn name(command: &KekCommand) -> &str {
    command.arguments.first().map_or("", String::as_str)
}

/// What the program prints.
pub(super) fn run(command: &KekCommand) -> anyhow::Result<Zeroizing<String>> {
    let (program, arguments) = command.arguments.split_first().context("no program")?;
    let give_up = Instant::now() + Duration::from_secs(command.timeout_s);
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("cannot be started")?;
    let mut group = Group(child);
    let printed = printed_until(&mut group, give_up)?;
    let status = group.ended_until(give_up)?;
    ensure!(status.success(), "ended with {status}");
    let text = String::from_utf8(printed.to_vec()).ok();
    let text = text.context("printed something else than text")?;
    Ok(Zeroizing::new(text))
}

fn printed_until(group: &mut Group, give_up: Instant) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut output = group.0.stdout.take().context("no output")?;
    let (done, printed) = channel();
    // Ends with the program's output: at the latest when the whole group is killed.
    std::thread::spawn(move || done.send(read(&mut output)));
    let left = give_up.saturating_duration_since(Instant::now());
    match printed.recv_timeout(left) {
        Ok(printed) => {
            let printed = printed.context("its output cannot be read")?;
            ensure!(
                printed.len() <= LONGEST,
                "printed more than {LONGEST} bytes"
            );
            Ok(printed)
        }
        Err(_) => bail!("took too long"),
    }
}

/// At most a byte more than is allowed.
fn read(output: &mut impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut room = Zeroizing::new(vec![0; LONGEST + 1]);
    let mut length = 0;
    while let Some(free) = room.get_mut(length..).filter(|free| !free.is_empty()) {
        match output.read(free) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    room.truncate(length);
    Ok(room)
}

/// The program and what it has started: gone when this is dropped.
struct Group(Child);

impl Group {
    fn ended_until(&mut self, give_up: Instant) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < give_up, "took too long");
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Not after the program was waited for: its number may be another's by then.
        if let Ok(None) = self.0.try_wait() {
            if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = self.0.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(arguments: &[&str], timeout_s: u64) -> KekCommand {
        KekCommand {
            arguments: arguments.iter().copied().map(str::to_owned).collect(),
            timeout_s,
        }
    }

    #[test]
    fn what_is_printed_is_taken_and_no_shell_is_asked() {
        let printed = run(&command(&["/bin/echo", "$HOME; `id`"], 10)).unwrap();
        assert_eq!(*printed, "$HOME; `id`\n");
    }

    #[test]
    fn whatever_goes_wrong_is_named_without_what_was_printed() {
        for (arguments, timeout_s, says) in [
            (&["/nowhere/program"][..], 10, "cannot be started"),
            (
                &["/bin/sh", "-c", "echo canary; exit 3"],
                10,
                "exit status: 3",
            ),
            (
                &["/bin/sh", "-c", "echo canary >&2; exit 1"],
                10,
                "exit status: 1",
            ),
            (&["/bin/sh", "-c", "yes canary"], 10, "more than 256 bytes"),
            (
                &["/bin/sh", "-c", "printf '\\377canary'"],
                10,
                "else than text",
            ),
            (
                &["/bin/sh", "-c", "echo canary; sleep 600"],
                1,
                "took too long",
            ),
            (
                &["/bin/sh", "-c", "echo canary; exec >&-; sleep 600"],
                1,
                "took too long",
            ),
        ] {
            let text = format!("{:#}", run(&command(arguments, timeout_s)).unwrap_err());
            assert!(text.contains(says), "{arguments:?}: {text}");
            assert!(!text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn what_a_program_has_started_ends_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let pid = dir.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; wait", pid.display());
        assert!(run(&command(&["/bin/sh", "-c", &script], 1)).is_err());
        let pid = std::fs::read_to_string(pid).unwrap();
        let state = format!("/proc/{}/stat", pid.trim());
        let ended = || {
            // Gone, or a zombie whose parent has not waited for it yet.
            let stat = std::fs::read_to_string(&state).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        let give_up = Instant::now() + Duration::from_secs(60);
        while !ended() {
            assert!(Instant::now() < give_up, "it goes on");
            std::thread::yield_now();
        }
    }
}
