//! The namespace `file`: files, directories and links.

mod absent;
mod attributes;
mod block;
pub(crate) mod checksum;
mod content;
mod copy;
mod copy_source;
mod directory;
mod download;
pub(crate) mod edited_file;
mod fetch;
mod ini;
mod ini_section;
mod json;
mod line;
pub(crate) mod lines;
mod link;
mod merge;
mod place;
mod queries;
mod replace;
mod scalar_text;
mod template;
mod toml;
mod unpack;
mod yaml;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<content::FileContent>(),
    Entry::state::<copy::FileCopy>(),
    Entry::state::<template::FileTemplate>(),
    Entry::state::<directory::FileDirectory>(),
    Entry::state::<link::FileLink>(),
    Entry::state::<absent::FileAbsent>(),
    Entry::state::<attributes::FileAttributes>(),
    Entry::state::<line::FileLine>(),
    Entry::state::<block::FileBlock>(),
    Entry::state::<replace::FileReplace>(),
    Entry::state::<ini::FileIni>(),
    Entry::state::<json::FileJson>(),
    Entry::state::<yaml::FileYaml>(),
    Entry::state::<toml::FileToml>(),
    Entry::state::<download::FileDownload>(),
    Entry::state::<unpack::FileUnpack>(),
    Entry::state::<fetch::FileFetch>().on_controller(),
    Entry::query::<queries::FileStat>(),
    Entry::query::<queries::FileRead>(),
    Entry::query::<queries::FileExists>(),
    Entry::query::<queries::FileList>(),
];
