//! What has a name is displayed by it, and set as text is.

use std::fmt::Display;

use sectile::edit::ChangeKind;
use sectile::metadata::{Expects, Field};
use sectile::policy::{Group, RequiredValue, SectionKind};
use sectile::scan::ItemKind;
use sectile::{Code, Severity};

#[track_caller]
fn is_displayed_as(named: impl Display, name: &str) {
    assert_eq!(named.to_string(), name);
    assert_eq!(format!("{named:>40}|"), format!("{name:>40}|"));
}

#[test]
fn what_has_a_name_is_displayed_by_it() {
    Field::ALL.iter().for_each(|field| is_displayed_as(field, field.section()));
    Field::ALL.iter().for_each(|field| is_displayed_as(field.expects(), field.expects().name()));
    is_displayed_as(Expects::License, "SPDX expression");
    Severity::ALL.iter().for_each(|severity| is_displayed_as(severity, severity.name()));
    Code::ALL.iter().for_each(|code| is_displayed_as(code, code.name()));
    Group::ALL.iter().for_each(|group| is_displayed_as(group, group.name()));
    RequiredValue::all().for_each(|value| is_displayed_as(value, value.name()));
    SectionKind::all().for_each(|kind| is_displayed_as(kind, kind.name()));
    for kind in [ChangeKind::Added, ChangeKind::Replaced, ChangeKind::Removed] {
        is_displayed_as(kind, kind.name());
    }
    is_displayed_as(ItemKind::Component, "component");
}

#[cfg(feature = "interface")]
#[test]
fn so_is_what_is_imported_and_exported() {
    use sectile::interface::ExternKind;

    is_displayed_as(ExternKind::Function, ExternKind::Function.name());
    is_displayed_as(ExternKind::Instance, "instance");
}
