//! Block devices in Ansible's form: flags as text, sizes for people.

use serde_json::{Map, Value, json};

use super::super::devices::SECTOR;

/// What `ansible_devices` is.
pub(super) fn devices(own: &Value) -> Value {
    let each = own.as_object().into_iter().flatten();
    each.map(|(name, device)| (name.clone(), self::device(own, device))).collect::<Map<_, _>>().into()
}

fn device(all: &Value, own: &Value) -> Value {
    let sector = own["sector_size"].as_u64().filter(|size| *size > 0).unwrap_or(SECTOR);
    let flag = |key: &str| own[key].as_bool().map(|flag| if flag { "1" } else { "0" });
    let discard = match own["discard_max"].as_u64() {
        Some(0) => Some("0".to_owned()),
        _ => own["discard_granularity"].as_u64().map(|size| size.to_string()),
    };
    let partitions = own["partitions"].as_object().into_iter().flatten();
    let partitions: Map<_, _> = partitions.map(|(name, part)| (name.clone(), partition(all, part))).collect();
    let mut device = json!({
        "virtual": 1,
        "links": links_of(own),
        "vendor": own["vendor"],
        "model": own["model"],
        "sas_address": null,
        "sas_device_handle": null,
        "removable": flag("removable"),
        "rotational": flag("rotational"),
        "support_discard": discard,
        "partitions": partitions,
        "scheduler_mode": own["scheduler"].as_str().unwrap_or_default(),
        "sectorsize": sector.to_string(),
        "sectors": own["size"].as_u64().unwrap_or(0) / sector,
        "size": human(own["size"].as_u64().unwrap_or(0)),
        "host": "",
        "holders": holders(all, own),
    });
    let names = own["ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let wwn = names.filter_map(|name| name.strip_prefix("wwn-")).next_back();
    for (key, text) in [("serial", own["serial"].as_str()), ("wwn", wwn)] {
        if let Some(text) = text {
            device[key] = text.into();
        }
    }
    device
}

fn partition(all: &Value, own: &Value) -> Value {
    let size = own["size"].as_u64().unwrap_or(0);
    json!({
        "links": links_of(own),
        "start": (own["start"].as_u64().unwrap_or(0) / SECTOR).to_string(),
        "sectors": size / SECTOR,
        "sectorsize": SECTOR,
        "size": human(size),
        "uuid": own["uuids"].get(0),
        "holders": holders(all, own),
    })
}

fn links_of(own: &Value) -> Value {
    json!({ "ids": own["ids"], "uuids": own["uuids"], "labels": own["labels"], "masters": own["holders"] })
}

/// Only volumes of the device mapper count as holders, by the name that they have there.
fn holders(all: &Value, own: &Value) -> Vec<String> {
    let names = own["holders"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let volumes = names.filter(|name| name.starts_with("dm-"));
    volumes.map(|name| all[name]["mapper_name"].as_str().unwrap_or(name).to_owned()).collect()
}

/// What `ansible_device_links` is: the links of disks and partitions that have some.
pub(super) fn links(own: &Value) -> Value {
    let disks = || own.as_object().into_iter().flatten();
    let partitions = disks().filter_map(|(_, disk)| disk["partitions"].as_object()).flatten();
    let all: Vec<(&String, &Value)> = disks().chain(partitions).collect();
    let of = |key: &str| -> Map<String, Value> {
        let some = all.iter().filter(|(_, own)| own[key].as_array().is_some_and(|names| !names.is_empty()));
        some.map(|(name, own)| ((*name).clone(), own[key].clone())).collect()
    };
    json!({ "ids": of("ids"), "uuids": of("uuids"), "labels": of("labels"), "masters": of("holders") })
}

/// `256.00 GB`, by powers of 1024.
fn human(size: u64) -> String {
    let units = [("EB", 60), ("PB", 50), ("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10)];
    let (unit, shift) = units.into_iter().find(|(_, shift)| size >> shift > 0).unwrap_or(("Bytes", 0));
    // Two decimals are all that is shown: what a float can't hold does not matter.
    #[allow(clippy::cast_precision_loss)]
    let number = size as f64 / (1_u64 << shift) as f64;
    format!("{number:.2} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(human(0), "0.00 Bytes");
        assert_eq!(human(1023), "1023.00 Bytes");
        assert_eq!(human(1536), "1.50 KB");
        assert_eq!(human(274_877_906_944), "256.00 GB");
        assert_eq!(human(u64::MAX), "16.00 EB");
    }

    #[test]
    fn devices_have_the_form_of_ansible() {
        let own = json!({ "sda": {
            "size": 1_048_576, "sector_size": 4096, "removable": false, "rotational": true, "model": "DISK",
            "discard_granularity": 512, "discard_max": 0, "scheduler": "none",
            "ids": ["ata-DISK", "wwn-0x5000"], "uuids": [], "labels": [], "holders": ["md0"],
            "partitions": { "sda1": {
                "number": 1, "start": 17_408, "size": 524_288, "holders": ["dm-0"],
                "ids": [], "uuids": ["0a1b"], "labels": [],
            } },
        } });
        let all = json!({ "sda": own["sda"], "dm-0": { "mapper_name": "vg-root" } });
        assert_eq!(
            devices(&all)["sda"],
            json!({
                "virtual": 1, "vendor": null, "model": "DISK", "sas_address": null, "sas_device_handle": null,
                "removable": "0", "rotational": "1", "support_discard": "0", "scheduler_mode": "none",
                "sectorsize": "4096", "sectors": 256, "size": "1.00 MB", "host": "", "holders": [],
                "wwn": "0x5000",
                "links": { "ids": ["ata-DISK", "wwn-0x5000"], "uuids": [], "labels": [], "masters": ["md0"] },
                "partitions": { "sda1": {
                    "start": "34", "sectors": 1024, "sectorsize": 512, "size": "512.00 KB", "uuid": "0a1b",
                    "holders": ["vg-root"],
                    "links": { "ids": [], "uuids": ["0a1b"], "labels": [], "masters": ["dm-0"] },
                } },
            })
        );
        assert_eq!(
            links(&own),
            json!({
                "ids": { "sda": ["ata-DISK", "wwn-0x5000"] }, "uuids": { "sda1": ["0a1b"] }, "labels": {},
                "masters": { "sda": ["md0"], "sda1": ["dm-0"] },
            })
        );
    }
}
