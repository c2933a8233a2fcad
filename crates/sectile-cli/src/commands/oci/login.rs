//! `sectile oci login` and `sectile oci logout`.

use std::io::{self, Read, Write};

use sectile_oci::registry::{
    Client, Credential, CredentialError, CredentialFile, CredentialPlace, Credentials, Reference,
};

use crate::args::{LoginArgs, LogoutArgs};
use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::registry;

/// Maximum length of a password in bytes. Access tokens have a few thousand.
const MAX_PASSWORD: u64 = 64 << 10;

pub fn login(args: &LoginArgs, output: &mut Output) -> Result<Exit, Failure> {
    if args.user.is_empty() || args.user.contains(':') {
        return Err(Failure::Other("the user is empty or contains a colon".to_owned()));
    }
    let password = read_password()?;
    let credential = Credential::password(&args.user, &*password);
    let client = Client::new(Credentials::fixed(credential.clone()), registry::options(args.scheme));
    client.check_login(&args.host)?;
    let file = user_file()?;
    match file.store(&args.host, &args.user, &password).map_err(failure)? {
        CredentialPlace::Helper(program) if output.shows_success() => {
            writeln!(output.out(), "logged in to {}; {program} stores the password", args.host)?;
        }
        _ if output.shows_success() => {
            let path = escaped(file.path().as_os_str()).to_string();
            writeln!(output.out(), "logged in to {}; {path} stores the password, unencrypted", args.host)?;
        }
        _ => {}
    }
    warn_if_hidden(args, &credential, output);
    Ok(Exit::Done)
}

/// Warns if another file with credentials for the registry comes first.
fn warn_if_hidden(args: &LoginArgs, stored: &Credential, output: &mut Output) {
    let reference = format!("{}/repository", args.host).parse::<Reference>();
    let found = reference.ok().and_then(|reference| Credentials::from_user_files().find(&reference).ok().flatten());
    if found.is_some_and(|found| found != *stored) {
        let message = format!("another credentials file has an entry for {}, and is read first", args.host);
        output.print_note(None, &message);
    }
}

pub fn logout(args: &LogoutArgs, output: &mut Output) -> Result<Exit, Failure> {
    let was_stored = user_file()?.erase(&args.host).map_err(failure)?;
    if output.shows_success() {
        let state = if was_stored { "logged out of" } else { "not logged in to" };
        writeln!(output.out(), "{state} {}", args.host)?;
    }
    Ok(Exit::Done)
}

fn user_file() -> Result<CredentialFile, Failure> {
    CredentialFile::for_user().ok_or_else(|| {
        Failure::Other("no home directory for the credentials: set HOME or REGISTRY_AUTH_FILE".to_owned())
    })
}

/// Reads standard input to its end, without the line feed after the password.
fn read_password() -> Result<String, Failure> {
    let mut password = String::new();
    let read = io::stdin().lock().take(MAX_PASSWORD + 1).read_to_string(&mut password);
    read.map_err(|error| Failure::Other(format!("cannot read the password from standard input: {error}")))?;
    let password = password.strip_suffix('\n').unwrap_or(&password);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() || password.len() as u64 > MAX_PASSWORD {
        return Err(Failure::Other("the password on standard input is empty or too long".to_owned()));
    }
    Ok(password.to_owned())
}

fn failure(error: CredentialError) -> Failure {
    Failure::Credentials(error)
}
