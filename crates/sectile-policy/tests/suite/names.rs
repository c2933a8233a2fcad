//! Named values are displayed as their name, and padded like text.

use sectile_policy::{ItemGroup, RequiredValue, section_kinds};

use sectile_testing::names::is_displayed_as;

#[test]
fn values_of_policies_are_displayed_by_their_names() {
    ItemGroup::ALL.iter().for_each(|group| is_displayed_as(group, group.name()));
    RequiredValue::all().for_each(|value| is_displayed_as(value, value.name()));
    section_kinds().for_each(|kind| is_displayed_as(kind, kind.name()));
}
