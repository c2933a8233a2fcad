//! Values with a name are displayed by it, and padded as text is.

use sectile::edit::ChangeKind;
use sectile::metadata::{Expects, Field};
use sectile::scan::{ItemKind, SectionKind};
use sectile::{FindingCode, Severity};

use sectile_testing::names::is_displayed_as;

#[test]
fn names_are_displayed_and_padded() {
    Field::ALL.iter().for_each(|field| is_displayed_as(field, field.section()));
    Field::ALL.iter().for_each(|field| is_displayed_as(field.expects(), field.expects().name()));
    is_displayed_as(Expects::License, "SPDX expression");
    Severity::ALL.iter().for_each(|severity| is_displayed_as(severity, severity.name()));
    FindingCode::ALL.iter().for_each(|code| is_displayed_as(code, code.name()));
    for item in [ItemKind::Module, ItemKind::Component] {
        (0..=u8::MAX).map(|id| SectionKind::new(item, id)).for_each(|kind| is_displayed_as(kind, kind.name()));
    }
    for kind in [ChangeKind::Added, ChangeKind::Replaced, ChangeKind::Removed] {
        is_displayed_as(kind, kind.name());
    }
    is_displayed_as(ItemKind::Component, "component");
}

#[cfg(feature = "interface")]
#[test]
fn names_of_extern_kinds_are_displayed_and_padded() {
    use sectile::interface::ExternKind;

    is_displayed_as(ExternKind::Function, ExternKind::Function.name());
    is_displayed_as(ExternKind::Instance, "instance");
}
