//! Rules and exceptions, read from their tables.

use super::found::{Found, Open, Wrong};
use super::keys::Table;
use crate::metadata::Field;
use crate::policy::{
    Dependencies, Exception, Imports, Items, Licenses, Producers, Required, RequiredValue, Rule, Sections, Sources,
};

pub(super) fn rule(open: &Open<'_>) -> Result<Rule, Wrong> {
    open.is_asked()?;
    let mut rule = match open.table {
        Table::Required => required(open)?,
        Table::Licenses => licenses(open)?,
        Table::Sources => sources(open)?,
        Table::Producers => producers(open)?,
        Table::Dependencies => dependencies(open)?,
        Table::Sections => sections(open)?,
        Table::Imports => imports(open)?,
        Table::Top | Table::Limits | Table::Severity | Table::Exceptions => unreachable!("these are no rules"),
    };
    rule.severity = open.value("severity").map(|found| found.severity()).transpose()?;
    rule.reason = open.value("reason").map(|found| found.text().map(Into::into)).transpose()?;
    Ok(rule)
}

fn items(open: &Open<'_>, default: Items) -> Result<Items, Wrong> {
    let items = open.list("items", Found::parsed::<Items>)?.into_iter().reduce(Items::and);
    Ok(items.unwrap_or(default))
}

fn required(open: &Open<'_>) -> Result<Rule, Wrong> {
    let fields = open.list("fields", Found::parsed::<RequiredValue>)?;
    Ok(Rule::new(Required::new(items(open, Items::root())?, fields)))
}

fn licenses(open: &Open<'_>) -> Result<Rule, Wrong> {
    let licenses = Licenses::new(items(open, Items::all())?);
    let licenses = open.fold("allow", licenses, Licenses::allow)?;
    Ok(Rule::new(open.fold("deny", licenses, Licenses::deny)?))
}

fn sources(open: &Open<'_>) -> Result<Rule, Wrong> {
    let mut sources = Sources::new(items(open, Items::all())?);
    if let Some(found) = open.value("fields") {
        let fields = open.list("fields", Found::parsed::<RequiredValue>)?;
        let field = |value| if let RequiredValue::Field(field) = value { Some(field) } else { None };
        let of_fields: Option<Vec<Field>> = fields.into_iter().map(field).collect();
        let of_fields = of_fields.ok_or_else(|| found.wrong("`name` holds no URL"))?;
        sources = sources.in_fields(of_fields).map_err(|error| found.wrong(error.to_string()))?;
    }
    let sources = open.fold("allow", sources, Sources::allow)?;
    Ok(Rule::new(open.fold("deny", sources, Sources::deny)?))
}

fn producers(open: &Open<'_>) -> Result<Rule, Wrong> {
    let (items, required) = (items(open, Items::all())?, open.flag("required")?);
    if !required && ["fields", "names", "versions"].iter().all(|key| open.value(key).is_none()) {
        return Err(open.lacks(&["fields", "names", "versions"]));
    }
    let producers = if required { Producers::required(items) } else { Producers::refused(items) };
    let producers = open.fold("fields", producers, Producers::in_field)?;
    let producers = producers.named(open.globs("names")?).except(open.globs("except")?);
    Ok(Rule::new(open.fold("versions", producers, |rule, range| Ok(rule.of_versions(range.parse()?)))?))
}

fn dependencies(open: &Open<'_>) -> Result<Rule, Wrong> {
    const REFUSE: [&str; 4] = ["names", "versions", "sources", "except"];
    let items = items(open, Items::all())?;
    let refuses = REFUSE.iter().any(|key| open.value(key).is_some());
    if open.flag("required")? {
        let message = "`required` asks for a list of packages: what is refused of it is another rule";
        return if refuses { Err(open.wrong(message)) } else { Ok(Rule::new(Dependencies::required(items))) };
    }
    if REFUSE[..3].iter().all(|key| open.value(key).is_none()) {
        return Err(open.lacks(&REFUSE[..3]));
    }
    let dependencies = Dependencies::refused(items).named(open.globs("names")?).except(open.globs("except")?);
    let dependencies = dependencies.from_sources(open.globs("sources")?);
    Ok(Rule::new(open.fold("versions", dependencies, |rule, range| Ok(rule.of_versions(range.parse()?)))?))
}

fn sections(open: &Open<'_>) -> Result<Rule, Wrong> {
    let sections = Sections::new(items(open, Items::all())?).named(open.globs("names")?).except(open.globs("except")?);
    let sections = sections.of_kinds(open.list("kinds", Found::parsed)?);
    Ok(Rule::new(match open.value("larger-than") {
        Some(found) => sections.larger_than(found.number(&open.key("larger-than"))?),
        None => sections,
    }))
}

fn imports(open: &Open<'_>) -> Result<Rule, Wrong> {
    Ok(Rule::new(Imports::named(open.globs("names")?).except(open.globs("except")?)))
}

pub(super) fn exception(open: &Open<'_>) -> Result<Exception, Wrong> {
    open.is_asked()?;
    let Some(reason) = open.value("reason") else { unreachable!("the table says that it must stand there") };
    let exception = Exception::because(reason.text()?).map_err(|error| reason.wrong(error.to_string()))?;
    let exception = exception.at(open.globs("paths")?).for_codes(open.list("codes", Found::code)?);
    let exception = open.fold("digests", exception, Exception::of_digest)?;
    let exception = match open.value("expires") {
        Some(found) => exception.until(found.day()?),
        None => exception,
    };
    if !open.flag("verified")? {
        return Ok(exception);
    }
    if open.value("digests").is_none() {
        return Err(open.wrong("`verified` is about digests, and there are none"));
    }
    Ok(exception.verified())
}
