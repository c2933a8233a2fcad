//! The completion script for bash.
//!
//! The generator of `clap_complete` lists options where a file is expected, and ignores which
//! positional argument the cursor is on. This script counts positional arguments. Readline itself
//! completes files and quotes their names.

use std::fmt::{self, Write};

use clap::{Arg, Command, ValueHint};

/// Writes the script. The command must be built.
pub fn write_script(command: &Command, out: &mut impl Write) -> fmt::Result {
    let commands = commands(command, command.get_name().to_owned());
    let name = command.get_name();
    writeln!(out, "# Completions of {name} for bash.\n")?;
    writeln!(out, "_{name}_subcommands() {{\n    case \"$1\" in")?;
    for (path, command) in &commands {
        let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        write_case(out, path, &names.join(" "))?;
    }
    writeln!(out, "    esac\n}}\n\n_{name}_options() {{\n    case \"$1\" in")?;
    for (path, command) in &commands {
        write_case(out, path, &options(command).join(" "))?;
    }
    writeln!(out, "    esac\n}}\n")?;
    writeln!(out, "# The kind of an option's value: `words …`, `files`, `directories`, `text`; nothing for a flag.")?;
    writeln!(out, "_{name}_option() {{\n    case \"$1 $2\" in")?;
    for (path, command) in &commands {
        for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
            let names = names(arg).into_iter().map(|option| format!("\"{path} {option}\""));
            let names: Vec<String> = names.collect();
            if !names.is_empty() {
                writeln!(out, "        {}) echo '{}' ;;", names.join(" | "), kind(arg))?;
            }
        }
    }
    writeln!(out, "    esac\n}}\n")?;
    writeln!(out, "# The kind of the positional argument with this number.")?;
    writeln!(out, "_{name}_positional() {{\n    case \"$1 $2\" in")?;
    for (path, command) in &commands {
        let positionals: Vec<&Arg> = command.get_positionals().collect();
        for (nth, arg) in positionals.iter().enumerate() {
            let is_list = arg.get_num_args().is_some_and(|number| number.max_values() > 1);
            let number = if is_list { "*".to_owned() } else { (nth + 1).to_string() };
            writeln!(out, "        \"{path} \"{number}) echo '{}' ;;", kind(arg))?;
        }
    }
    writeln!(out, "    esac\n}}\n")?;
    out.write_str(&MAIN.replace("NAME", name))
}

/// Every command with its path, such as `sectile oci push`.
fn commands(command: &Command, path: String) -> Vec<(String, &Command)> {
    let nested = command.get_subcommands().filter(|command| !command.is_hide_set());
    let nested: Vec<_> = nested.flat_map(|nested| commands(nested, format!("{path} {}", nested.get_name()))).collect();
    [(path, command)].into_iter().chain(nested).collect()
}

fn write_case(out: &mut impl Write, path: &str, words: &str) -> fmt::Result {
    if words.is_empty() { Ok(()) } else { writeln!(out, "        \"{path}\") echo '{words}' ;;") }
}

fn options(command: &Command) -> Vec<String> {
    command.get_arguments().filter(|arg| !arg.is_hide_set()).flat_map(names).collect()
}

/// The option's names with their hyphens; none for a positional argument.
fn names(arg: &Arg) -> Vec<String> {
    let long = arg.get_long().map(|long| format!("--{long}"));
    let short = arg.get_short().map(|short| format!("-{short}"));
    long.into_iter().chain(short).collect()
}

/// The kind of an argument's value. The possible values are names of this program, which need no
/// quoting.
fn kind(arg: &Arg) -> String {
    let values: Vec<String> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    if !values.is_empty() {
        return format!("words {}", values.join(" "));
    }
    let kind = match arg.get_value_hint() {
        ValueHint::AnyPath | ValueHint::FilePath => "files",
        ValueHint::DirPath => "directories",
        _ => "text",
    };
    kind.to_owned()
}

/// The function that bash calls.
const MAIN: &str = r#"_NAME() {
    local current="${COMP_WORDS[COMP_CWORD]}" path='NAME' option='' kind word
    local -i index positional=1 only_positional=0 may_be_file=0
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        word="${COMP_WORDS[index]}"
        if [[ "$word" == '=' ]]; then
            continue # bash divides `--option=value`
        elif [[ "$word" == ':' ]]; then
            positional+=-1 # bash divides `oci:DIR:NAME`
        elif [[ -n "$option" ]]; then
            option=''
        elif ((only_positional)); then
            positional+=1
        elif [[ "$word" == '--' ]]; then
            only_positional=1
        elif [[ "$word" == -?* ]]; then
            [[ -z "$(_NAME_option "$path" "$word")" ]] || option="$word"
        elif [[ " $(_NAME_subcommands "$path") " == *" $word "* ]]; then
            path+=" $word"
        else
            positional+=1
        fi
    done
    [[ "$current" != '=' ]] || current=''
    if [[ -n "$option" ]]; then
        kind="$(_NAME_option "$path" "$option")"
    elif ((!only_positional)) && [[ "$current" == -* ]]; then
        kind="words $(_NAME_options "$path")"
    elif [[ -n "$(_NAME_subcommands "$path")" ]]; then
        kind="words $(_NAME_subcommands "$path")"
    else
        kind="$(_NAME_positional "$path" "$positional")"
        may_be_file=1 # also instead of a name: `unset --field FIELD FILE...`
    fi
    case "$kind" in
        'words '*)
            COMPREPLY=($(compgen -W "${kind#words }" -- "$current"))
            ((may_be_file && ${#COMPREPLY[@]} == 0)) || return 0
            ;;
        files) ;;
        directories)
            compopt -o dirnames 2>/dev/null || _NAME_paths -d "$current"
            return 0
            ;;
        *) return 0 ;;
    esac
    compopt -o default 2>/dev/null || _NAME_paths -f "$current"
}

# For versions of bash without `compopt`.
_NAME_paths() {
    local IFS=$'\n'
    COMPREPLY=($(compgen "$1" -- "$2"))
}

complete -F _NAME NAME
"#;
