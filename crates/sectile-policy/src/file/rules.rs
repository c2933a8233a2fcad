//! Reads rules and exceptions from their tables.

use super::keys::PolicyTable;
use super::table::{InvalidEntry, PolicyEntry, TableReader};
use crate::{
    AdvisoryRule, Dependencies, Exception, Imports, Items, Licenses, Producers, Required, RequiredValue, Rule,
    Sections, Sources,
};
use sectile::metadata::Field;

pub(super) fn rule(table: &TableReader<'_>) -> Result<Rule, InvalidEntry> {
    table.check_required_keys()?;
    let mut rule = match table.table {
        PolicyTable::Required => required(table)?,
        PolicyTable::Licenses => licenses(table)?,
        PolicyTable::Sources => sources(table)?,
        PolicyTable::Producers => producers(table)?,
        PolicyTable::Dependencies => dependencies(table)?,
        PolicyTable::Sections => sections(table)?,
        PolicyTable::Imports => imports(table)?,
        PolicyTable::Advisories => advisories(table)?,
        PolicyTable::Top | PolicyTable::Limits | PolicyTable::Severity | PolicyTable::Exceptions => {
            unreachable!("these are not rules")
        }
    };
    rule.severity = table.entry("severity").map(|entry| entry.severity()).transpose()?;
    rule.reason = table.entry("reason").map(|entry| entry.text().map(Into::into)).transpose()?;
    Ok(rule)
}

fn items(table: &TableReader<'_>, default: Items) -> Result<Items, InvalidEntry> {
    let items = table.list("items", PolicyEntry::parsed::<Items>)?.into_iter().reduce(Items::and);
    Ok(items.unwrap_or(default))
}

fn required(table: &TableReader<'_>) -> Result<Rule, InvalidEntry> {
    let fields = table.list("fields", PolicyEntry::parsed::<RequiredValue>)?;
    let required = Required::new(items(table, Items::root())?, fields);
    Ok(Rule::new(if table.boolean("unknown")? { required.permit_unknown() } else { required }))
}

fn licenses(table: &TableReader<'_>) -> Result<Rule, InvalidEntry> {
    let licenses = Licenses::new(items(table, Items::all())?);
    let licenses = table.add_each("allow", licenses, Licenses::allow)?;
    let licenses = table.add_each("deny", licenses, Licenses::deny)?;
    Ok(Rule::new(if table.boolean("unknown")? { licenses.permit_unknown() } else { licenses }))
}

fn sources(table: &TableReader<'_>) -> Result<Rule, InvalidEntry> {
    let mut sources = Sources::new(items(table, Items::all())?);
    if let Some(entry) = table.entry("fields") {
        let values = table.list("fields", PolicyEntry::parsed::<RequiredValue>)?;
        let field = |value| if let RequiredValue::Field(field) = value { Some(field) } else { None };
        let fields: Option<Vec<Field>> = values.into_iter().map(field).collect();
        let fields = fields.ok_or_else(|| entry.invalid("`name` does not hold a URL"))?;
        sources = sources.with_fields(fields).map_err(|error| entry.invalid(error.to_string()))?;
    }
    let sources = table.add_each("allow", sources, Sources::allow)?;
    Ok(Rule::new(table.add_each("deny", sources, Sources::deny)?))
}

fn producers(table: &TableReader<'_>) -> Result<Rule, InvalidEntry> {
    let (items, required) = (items(table, Items::all())?, table.boolean("required")?);
    if !required && ["fields", "names", "versions"].iter().all(|key| table.entry(key).is_none()) {
        return Err(table.missing(&["fields", "names", "versions"]));
    }
    let producers = if required { Producers::required(items) } else { Producers::refused(items) };
    let producers = table.add_each("fields", producers, Producers::with_field)?;
    let producers = producers.with_names(table.globs("names")?).with_excluded_names(table.globs("except")?);
    Ok(Rule::new(table.add_each("versions", producers, |rule, range| Ok(rule.with_versions(range.parse()?)))?))
}

fn dependencies(table: &TableReader<'_>) -> Result<Rule, InvalidEntry> {
    const REFUSE: [&str; 4] = ["names", "versions", "sources", "except"];
    let items = items(table, Items::all())?;
    let refuses = REFUSE.iter().any(|key| table.entry(key).is_some());
    if table.boolean("required")? {
        let message = "`required` requires a list of packages; refuse packages in another rule";
        return if refuses { Err(table.invalid(message)) } else { Ok(Rule::new(Dependencies::required(items))) };
    }
    if REFUSE[..3].iter().all(|key| table.entry(key).is_none()) {
        return Err(table.missing(&REFUSE[..3]));
    }
    let dependencies = Dependencies::refused(items).with_names(table.globs("names")?);
    let dependencies = dependencies.with_excluded_names(table.globs("except")?).with_sources(table.globs("sources")?);
    Ok(Rule::new(table.add_each("versions", dependencies, |rule, range| Ok(rule.with_versions(range.parse()?)))?))
}

fn sections(table: &TableReader<'_>) -> Result<Rule, InvalidEntry> {
    let sections = Sections::new(items(table, Items::all())?).with_names(table.globs("names")?);
    let sections = sections.with_excluded_names(table.globs("except")?);
    let sections = sections.with_kinds(table.list("kinds", PolicyEntry::section_kind)?);
    Ok(Rule::new(match table.entry("larger-than") {
        Some(entry) => sections.with_size_above(entry.number(&table.number_key("larger-than"))?),
        None => sections,
    }))
}

fn imports(table: &TableReader<'_>) -> Result<Rule, InvalidEntry> {
    Ok(Rule::new(Imports::new(table.globs("names")?).with_excluded_names(table.globs("except")?)))
}

fn advisories(table: &TableReader<'_>) -> Result<Rule, InvalidEntry> {
    let rule = AdvisoryRule::new().with_names(table.globs("names")?).with_excluded_names(table.globs("except")?);
    let rule = table.list("classes", PolicyEntry::advisory_class)?.into_iter().fold(rule, AdvisoryRule::with_class);
    let rule = match table.entry("at-least") {
        Some(entry) => rule.with_least(entry.rating()?),
        None => rule,
    };
    Ok(Rule::new(table.add_each("versions", rule, |rule, range| Ok(rule.with_versions(range.parse()?)))?))
}

pub(super) fn exception(table: &TableReader<'_>) -> Result<Exception, InvalidEntry> {
    table.check_required_keys()?;
    let Some(reason) = table.entry("reason") else { unreachable!("`reason` is a required key") };
    let exception = Exception::new(reason.text()?).map_err(|error| reason.invalid(error.to_string()))?;
    let exception = exception.with_paths(table.globs("paths")?).with_codes(table.list("codes", PolicyEntry::code)?);
    let exception = table.add_each("digests", exception, Exception::with_digest)?;
    let exception = exception.with_advisories(table.list("advisories", PolicyEntry::text)?);
    let exception = match table.entry("expires") {
        Some(entry) => exception.with_expiry(entry.day()?),
        None => exception,
    };
    if !table.boolean("verified")? {
        return Ok(exception);
    }
    if table.entry("digests").is_none() {
        return Err(table.invalid("`verified` needs `digests`"));
    }
    Ok(exception.require_verified())
}
