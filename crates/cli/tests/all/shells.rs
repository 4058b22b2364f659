//! How the program fits into a system: what shells complete, and its manual. Real shells and a real `man` are asked where they are.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output};

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_connector-host");

fn run(arguments: &[&str]) -> Output {
    let output = Command::new(PROGRAM).args(arguments).output();
    let output = output.expect("the program runs");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        text(&output.stderr)
    );
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether a program is there; says so where it is not, and the test stops at that.
fn is_there(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        // Not `eprintln!`, which is shown only where a test fails.
        let _ = writeln!(
            io::stderr(),
            "skipped: there is no {program} on this computer"
        );
    }
    there
}

/// What a shell prints for a script, which is given the folder with the completions as its first argument.
fn shell(program: &str, script: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("there is room for files");
    let completions = folder.path().join("_connector-host");
    std::fs::write(&completions, run(&["completions", program]).stdout).expect("it is new");
    let output = Command::new(program)
        .args(["-c", script])
        .env("COMPLETIONS", &completions)
        .env("FOLDER", folder.path())
        .env("HOME", folder.path())
        .env("LC_ALL", "C")
        .output()
        .expect("the shell runs");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    let words = text(&output.stdout);
    // Fish adds a description after a tab.
    let words = words
        .lines()
        .map(|line| line.split('\t').next().unwrap_or_default());
    words.map(str::to_string).collect()
}

/// What a line is completed to.
fn has(words: &[String], wanted: &[&str]) {
    for word in wanted {
        assert!(
            words.iter().any(|given| given.trim() == *word),
            "{word} is not in {words:?}"
        );
    }
}

/// Bash calls a function with the words of the line, and takes what that leaves in COMPREPLY.
fn bash(words: &[&str]) -> Vec<String> {
    let line: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    shell(
        "bash",
        &format!(
            ". \"$COMPLETIONS\"; set -- $(complete -p connector-host); while [ \"$1\" != -F ]; do shift; done; \
             COMP_WORDS=({}); COMP_CWORD={}; \"$2\" connector-host '{}' '{}'; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            line.join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        ),
    )
}

#[test]
fn bash_completes_commands_options_and_values() {
    if !is_there("bash") {
        return;
    }
    has(&bash(&["connector-host", "li"]), &["list"]);
    has(&bash(&["connector-host", "list", "--ten"]), &["--tenant"]);
    has(&bash(&["connector-host", "list", "acc"]), &["accounts"]);
    has(
        &bash(&["connector-host", "list", "accounts", "--details", ""]),
        &["last-sign-in", "management"],
    );
    has(&bash(&["connector-host", "provision", "cr"]), &["create"]);
    assert_eq!(bash(&["connector-host", "nothing-like-it"]), [""]);
}

#[test]
fn fish_completes_commands_options_and_values() {
    if !is_there("fish") {
        return;
    }
    let fish = |line: &str| {
        shell(
            "fish",
            &format!("source $COMPLETIONS; complete -C '{line}'"),
        )
    };
    has(&fish("connector-host li"), &["list"]);
    has(&fish("connector-host list --ten"), &["--tenant"]);
    has(&fish("connector-host list roles gr"), &["grants"]);
    has(&fish("connector-host completions "), &["bash", "fish"]);
    has(
        &fish("connector-host list accounts --details "),
        &["last-sign-in", "management"],
    );
}

/// Zsh completes only what is typed, so that it types into another one: each line, a tab, and a key that shows what is there then.
const ZSH: &str = r#"
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PROMPT=; stty -echo; fpath=($FOLDER \$fpath); autoload -U compinit; compinit -D -u; bindkey '^I' complete-word"
zpty -w z "show() { print -r -- \"<\$BUFFER>\"; BUFFER=; }; zle -N show; bindkey '^X' show; print IT''BEGINS"
zpty -r -m z begun '*ITBEGINS*'
for typed in 'li' 'list --ten' 'list acc' 'list accounts --details man' 'provision cr'; do
    zpty -w -n z "connector-host $typed"$'\t\x18'
    zpty -r -m z shown '*<*>*'
    print -r -- "${${shown##*<}%%>*}"
done
zpty -d z
"#;

#[test]
fn zsh_completes_commands_options_and_values() {
    if !is_there("zsh") {
        return;
    }
    let words = shell("zsh", ZSH);
    let wanted = [
        "connector-host list",
        "connector-host list --tenant=",
        "connector-host list accounts",
        "connector-host list accounts --details management",
        "connector-host provision create",
    ];
    has(&words, &wanted);
}

#[test]
fn there_is_a_script_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = text(&run(&["completions", shell]).stdout);
        let option = if shell == "fish" {
            "-l tenant"
        } else {
            "--tenant"
        };
        assert!(script.contains(option), "{shell}");
    }
}

/// Each command, with its help: the words after the name of the program.
fn commands() -> BTreeMap<Vec<String>, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![Vec::new()];
    while let Some(words) = open.pop() {
        let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = text(&run(&arguments).stdout);
        let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        for line in list.take_while(|line| !line.is_empty()) {
            if line.starts_with("  ") && !line.starts_with("   ") {
                let name = line.split_whitespace().next().expect("a name").to_string();
                open.push([words.clone(), vec![name]].concat());
            }
        }
        found.insert(words, help);
    }
    found
}

/// The examples in a help.
fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // Long ones are broken, and the rest of them is not looked at.
    lines
        .filter(|line| line.trim_start().starts_with("connector-host"))
        .map(|line| line.trim().to_string())
        .collect()
}

#[test]
fn each_command_has_examples_in_its_help() {
    let commands = commands();
    assert!(commands.len() > 15, "only {} were found", commands.len());
    for (words, help) in &commands {
        assert!(!examples(help).is_empty(), "{words:?} has none:\n{help}");
    }
}

/// A page as `man` shows it, or as it is written where there is no `man`.
fn shown(page: &Path) -> String {
    if !is_there("man") {
        return std::fs::read_to_string(page)
            .expect("it is there")
            .replace("\\-", "-");
    }
    let output = Command::new("man")
        .args(["--warnings", "-E", "UTF-8", "-l"])
        .arg(page)
        .env("MANWIDTH", "200")
        .env("LC_ALL", "C")
        .output()
        .expect("man runs");
    assert!(
        output.stderr.is_empty(),
        "{}: {}",
        page.display(),
        text(&output.stderr)
    );
    text(&output.stdout)
}

#[test]
fn each_command_has_a_man_page_with_its_examples_and_the_exit_codes() {
    let folder = tempfile::tempdir().expect("there is room for files");
    let path = folder.path().join("man1");
    run(&["man", "--out", path.to_str().expect("it is text")]);
    let commands = commands();
    for (words, help) in &commands {
        let name = [&["connector-host".to_string()], &words[..]]
            .concat()
            .join("-");
        let page = shown(&path.join(format!("{name}.1")));
        for example in examples(help) {
            // On a line of its own.
            let is_there = page.lines().any(|line| line.trim().starts_with(&example));
            assert!(is_there, "{name} has no line {example} in:\n{page}");
        }
        for part in [
            &name,
            "--tenant",
            "Exit codes:",
            "The credentials were not accepted",
        ] {
            assert!(page.contains(part), "{part} is not in {name}:\n{page}");
        }
    }
    let pages = std::fs::read_dir(&path).expect("it is there").count();
    assert_eq!(pages, commands.len());
    let first = std::fs::read(path.join("connector-host.1")).expect("it is there");
    assert_eq!(text(&run(&["man"]).stdout), text(&first));
}
