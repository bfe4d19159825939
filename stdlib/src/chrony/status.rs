//! `chrony::status`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Answer, Context, Query};
use refrain_engine::system::RootKind;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The number of a host's own clock among its sources.
const OWN_CLOCK: &str = "7F7F0101";
/// What `chronyc` says when no chronyd answers it.
const NO_DAEMON: &str = "Cannot talk to daemon";

/// Tells whether the host's clock is synchronised, and by whom.
///
/// ```rhai,no_run
/// let clock = chrony::status();
/// assert(clock.synchronised, "the clock is off by " + clock.offset + " s");
/// ```
///
/// The answer has `running` (whether chronyd answers), `synchronised`, `source` (the name or address of the one that is
/// followed), `stratum`, `offset` (by how many seconds the clock is off) and `leap` (as `Normal`). A host that only follows its
/// own clock is not synchronised. Where chronyd does not answer, as in an image, the last four are `()`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChronyStatus {}

impl Query for ChronyStatus {
    const NAME: &'static str = "chrony::status";
    const POSITIONAL: &'static [&'static str] = &[];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        if context.host.root_kind() == RootKind::Offline {
            return Ok(silent().into());
        }
        let command = context.command(["chronyc", "-n", "-c", "tracking"]);
        let output = context.host.probe(&command)?;
        if output.status != 0 && output.both_streams().contains(NO_DAEMON) {
            return Ok(silent().into());
        }
        let output = output.require_success(&command)?;
        let text = String::from_utf8_lossy(&output.stdout);
        match tracking(text.trim()) {
            Some(status) => Ok(status.into()),
            None => Err(Failure::state(format!("`chronyc tracking` says something else: `{}`", text.trim()))),
        }
    }
}

/// The answer where there is no chronyd.
fn silent() -> Value {
    json!({
        "running": false, "synchronised": false, "source": null, "stratum": null, "offset": null, "leap": null
    })
}

/// What a line of `chronyc -c tracking` means.
fn tracking(line: &str) -> Option<Value> {
    let fields: Vec<&str> = line.split(',').collect();
    let [number, source, stratum, _, offset, .., leap] = fields[..] else { return None };
    if fields.len() != 14 {
        return None;
    }
    let offset: f64 = offset.parse().ok()?;
    Some(json!({
        "running": true,
        "synchronised": leap != "Not synchronised" && number != OWN_CLOCK,
        "source": source,
        "stratum": stratum.parse::<u8>().ok()?,
        "offset": offset.abs(),
        "leap": leap,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_chronyc_is_understood() {
        let followed = "C0000207,192.0.2.7,3,1764094000.123456789,-0.000012345,-0.000001000,0.000020000,-12.345,0.001,\
            0.030,0.020000000,0.001000000,64.2,Normal";
        let status = tracking(followed).unwrap();
        assert_eq!(status["synchronised"], true);
        assert_eq!((&status["source"], &status["stratum"]), (&json!("192.0.2.7"), &json!(3)));
        assert_eq!(status["offset"], 0.000012345);
        // What chronyc 4.3 has printed without an answer from a server, and with `local stratum 5` besides.
        let nobody = "00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,\
            1.000000000,0.0,Not synchronised";
        let local = "7F7F0101,,5,1795631299.525968362,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.000000000,\
            0.000000000,0.0,Normal";
        for line in [nobody, local] {
            assert_eq!(tracking(line).unwrap()["synchronised"], false);
        }
        assert_eq!(tracking("506 Cannot talk to daemon"), None);
        assert_eq!(tracking(""), None);
    }
}
