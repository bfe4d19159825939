//! Lists of algorithms as ssh_config(5) spells them.

use super::pattern;

/// The algorithms that a list of a person chooses, by preference; `usual` where there is none.
///
/// With `+` in front it adds to the usual ones, with `-` it takes from them (by patterns), with `^` it puts some before them.
pub(super) fn chosen(list: Option<&str>, usual: &str) -> String {
    let Some(list) = list else { return usual.to_owned() };
    let (more, rest) = (list.get(1..).unwrap_or_default(), usual.split(','));
    let unless = |names: &str| {
        let names: Vec<&str> = names.split(',').collect();
        let kept = usual.split(',').filter(|name| !pattern::covers(names.iter().copied(), name));
        kept.collect::<Vec<_>>().join(",")
    };
    match list.as_bytes().first() {
        Some(b'+') => rest
            .chain(more.split(',').filter(|name| !usual.split(',').any(|known| known == *name)))
            .collect::<Vec<_>>()
            .join(","),
        Some(b'-') => unless(more),
        Some(b'^') => format!("{more},{}", unless(more)),
        _ => list.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_change_the_usual_ones() {
        for (list, expected) in [
            (None, "a,b1,b2"),
            (Some("x,y"), "x,y"),
            (Some("+b1,x"), "a,b1,b2,x"),
            (Some("-b*"), "a"),
            (Some("^b2,x"), "b2,x,a,b1"),
        ] {
            assert_eq!(chosen(list, "a,b1,b2"), expected, "{list:?}");
        }
    }
}
