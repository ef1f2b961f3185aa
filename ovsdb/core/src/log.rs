//! The database file: a log of records, each a line `OVSDB JSON LENGTH SHA1` and then LENGTH bytes
//! of JSON that end in a new-line (ovsdb(5)). Records are only ever appended, so a crash can spoil
//! no more than the last one.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};
use weir_jsonrpc::Json;

use crate::error::{OvsdbError, Result, tag};
use crate::lockfile::LockFile;

/// The magic of a standalone database.
pub const MAGIC_STANDALONE: &str = "JSON";
/// The magic of a clustered database.
pub const MAGIC_CLUSTER: &str = "CLUSTER";
/// The longest header that is one.
const MAX_HEADER: u64 = 128;

/// How to open a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// To read; not locked.
    ReadOnly,
    /// To read, then to append; locked.
    ReadWrite,
    /// A new file, which must not exist; locked.
    Create,
}

/// A log.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    /// How messages call the file: the name that it was opened by.
    name: String,
    file: BufReader<File>,
    _lock: Option<LockFile>,
    /// The end of the last good record.
    offset: u64,
    /// The start of the last record read.
    previous: u64,
    /// The end of the file may hold something else than what `offset` says.
    dirty: bool,
    /// Why the log cannot be written any more.
    failed: Option<OvsdbError>,
    /// A header or body was bad; reading is over.
    ended: bool,
}

/// What kind of database the file at `path` is: the word after `OVSDB ` in its first line.
///
/// # Errors
/// The file cannot be read or is no database.
pub fn magic_of(path: &Path) -> Result<String> {
    let name = path.display();
    let file = File::open(path).map_err(|e| OvsdbError::io(&e, format!("{name}: open failed")))?;
    let line = header_line(&mut BufReader::new(file))
        .map_err(|e| OvsdbError::io(&e, format!("{name}: read failed")))?;
    if line.is_empty() {
        return Err(OvsdbError::new(tag::OVSDB, format!("{name}: cannot identify file type")));
    }
    match parse_header(&line) {
        Some(header) => Ok(header.magic),
        None => Err(OvsdbError::new(tag::OVSDB, format!("{name}: unexpected file format"))),
    }
}

impl Log {
    /// Opens the log at `path`.
    ///
    /// # Errors
    /// It cannot be locked or opened, or is no standalone database.
    pub fn open(path: &Path, mode: OpenMode) -> Result<Self> {
        let name = path.display().to_string();
        let lock = match mode {
            OpenMode::ReadOnly => None,
            _ => Some(
                LockFile::lock(path)
                    .map_err(|e| OvsdbError::io(&e, format!("{name}: failed to lock lockfile")))?,
            ),
        };
        if mode != OpenMode::Create {
            match magic_of(path)?.as_str() {
                MAGIC_STANDALONE => {}
                MAGIC_CLUSTER => {
                    return Err(OvsdbError::new(
                        tag::OVSDB,
                        format!("{name}: cannot apply this operation to clustered database file"),
                    ));
                }
                _ => {
                    let text = format!("{name}: unexpected file format");
                    return Err(OvsdbError::new(tag::OVSDB, text));
                }
            }
        }
        let mut options = File::options();
        options.read(true);
        match mode {
            OpenMode::ReadOnly => {}
            OpenMode::ReadWrite => {
                options.write(true);
            }
            OpenMode::Create => {
                options.write(true).create_new(true).mode(0o660);
                // A dangling symbolic link says where the file is to be.
                if path.is_symlink() && !path.exists() {
                    options.create_new(false).create(true);
                }
            }
        }
        let operation = if mode == OpenMode::Create { "create" } else { "open" };
        let file = options
            .open(path)
            .map_err(|e| OvsdbError::io(&e, format!("{name}: {operation} failed")))?;
        if mode == OpenMode::Create {
            sync_parent(path);
        }
        Ok(Self {
            path: path.to_owned(),
            name,
            file: BufReader::new(file),
            _lock: lock,
            offset: 0,
            previous: 0,
            dirty: mode == OpenMode::ReadWrite,
            failed: None,
            ended: false,
        })
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The end of the last good record, in bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Why it cannot be written any more, if so.
    pub fn failure(&self) -> Option<&OvsdbError> {
        self.failed.as_ref()
    }

    /// Reads the next record; `None` at the end.
    ///
    /// # Errors
    /// The record is damaged, or cannot be read. Whatever was read before it is good; the next
    /// write replaces it and what follows.
    pub fn read(&mut self) -> Result<Option<Json>> {
        if self.ended {
            return Ok(None);
        }
        let record = self.read_record();
        self.ended = !matches!(record, Ok(Some(_)));
        record
    }

    fn read_record(&mut self) -> Result<Option<Json>> {
        let name = &self.name;
        let line = header_line(&mut self.file)
            .map_err(|e| OvsdbError::io(&e, format!("{name}: read failed")))?;
        if line.is_empty() {
            return Ok(None);
        }
        let Some(header) = parse_header(&line).filter(|h| h.magic == MAGIC_STANDALONE) else {
            let shown = String::from_utf8_lossy(&line);
            let text = format!(
                "{name}: parse error at offset {} in header line \"{}\"",
                self.offset,
                shown.trim_end_matches('\n')
            );
            return Err(OvsdbError::new(tag::SYNTAX, text));
        };
        let start = self.offset + line.len() as u64;
        let length = header.length;
        let place = format!("{length} bytes starting at offset {start}");
        let unreadable =
            |e: io::Error| OvsdbError::io(&e, format!("{name}: error reading {place}"));
        // The length is only believed as far as the file goes.
        let mut body = Vec::new();
        let read = (&mut self.file).take(length).read_to_end(&mut body).map_err(unreadable)?;
        if read as u64 != length {
            return Err(unreadable(io::ErrorKind::UnexpectedEof.into()));
        }
        let actual = hex(&Sha1::digest(&body));
        if actual != header.sha1 {
            let text = format!(
                "{name}: {place} have SHA-1 hash {actual} but should have hash {}",
                header.sha1
            );
            return Err(OvsdbError::new(tag::SYNTAX, text));
        }
        let json = Json::parse(&body).map_err(|e| {
            OvsdbError::new(tag::SYNTAX, format!("{name}: {place} are not valid JSON ({e})"))
        })?;
        self.previous = self.offset;
        self.offset = start + length;
        Ok(Some(json))
    }

    /// Takes back the record that was read last: it makes no sense, and the next write replaces it.
    pub fn unread(&mut self) {
        self.offset = self.previous;
        self.ended = true;
    }

    /// Appends a record. It is safe from the end of this process, and after [`Log::sync`] from the
    /// end of the machine.
    ///
    /// # Errors
    /// The operating system's refusal. What was written of the record is removed again.
    pub fn write(&mut self, record: &Json) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.ended = true;
        let name = &self.name;
        let file = self.file.get_mut();
        if self.dirty {
            let cut =
                file.set_len(self.offset).and_then(|()| file.seek(SeekFrom::Start(self.offset)));
            if let Err(e) = cut {
                let text = format!("{name}: cannot truncate to length {}", self.offset);
                return Err(OvsdbError::io(&e, text));
            }
            self.dirty = false;
        }
        let bytes = compose(record);
        if let Err(e) = file.write_all(&bytes) {
            // Nothing that is not whole may stay; if it cannot be removed now, then before the
            // next write.
            self.dirty = true;
            let _ = file.set_len(self.offset);
            return Err(OvsdbError::io(&e, format!("{name}: write failed")));
        }
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Waits until everything written is on the disk.
    ///
    /// # Errors
    /// The disk failed. What it kept is unknown, so nothing can be written any more.
    pub fn sync(&mut self) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.file.get_ref().sync_all().map_err(|e| {
            let error = OvsdbError::io(&e, format!("{}: fsync failed", self.name));
            self.failed = Some(error.clone());
            error
        })
    }

    /// Replaces the whole log by `records`: they are written to a new file beside it, which then
    /// takes its place. At every moment the name leads to one whole log or the other.
    ///
    /// # Errors
    /// The operating system's refusal; then the old log is still in place.
    pub fn replace<'a>(&mut self, records: impl IntoIterator<Item = &'a Json>) -> Result<()> {
        let real = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut temporary = real.clone().into_os_string();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        let done = self.write_replacement(&real, &temporary, records);
        if done.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        done
    }

    fn write_replacement<'a>(
        &mut self,
        real: &Path,
        temporary: &Path,
        records: impl IntoIterator<Item = &'a Json>,
    ) -> Result<()> {
        let shown = temporary.display().to_string();
        let failed =
            |what: &str, e: &io::Error| OvsdbError::io(e, format!("{shown}: {what} failed"));
        // One left over from a crash is of no use.
        match std::fs::remove_file(temporary) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed("unlink", &e)),
            _ => {}
        }
        let mut file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o660)
            .open(temporary)
            .map_err(|e| failed("create", &e))?;
        if let Ok(old) = self.file.get_ref().metadata() {
            let mode = old.permissions().mode() & 0o7777;
            let _ = file.set_permissions(std::fs::Permissions::from_mode(mode));
        }
        let mut offset = 0;
        for record in records {
            let bytes = compose(record);
            file.write_all(&bytes).map_err(|e| failed("write", &e))?;
            offset += bytes.len() as u64;
        }
        file.sync_all().map_err(|e| failed("fsync", &e))?;
        std::fs::rename(temporary, real).map_err(|e| {
            let text = format!("failed to rename \"{shown}\" to \"{}\"", real.display());
            OvsdbError::io(&e, text)
        })?;
        sync_parent(real);
        self.file = BufReader::new(file);
        self.offset = offset;
        self.previous = offset;
        self.dirty = false;
        self.failed = None;
        self.ended = true;
        Ok(())
    }
}

/// A record as it stands in the file.
pub fn compose(record: &Json) -> Vec<u8> {
    let mut body = String::new();
    record.print_into(&mut body);
    body.push('\n');
    let sha1 = hex(&Sha1::digest(body.as_bytes()));
    let mut bytes = format!("OVSDB {MAGIC_STANDALONE} {} {sha1}\n", body.len()).into_bytes();
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

struct Header {
    magic: String,
    length: u64,
    sha1: String,
}

/// Up to a new-line, or as much as a header may have.
fn header_line(file: &mut BufReader<File>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    file.take(MAX_HEADER).read_until(b'\n', &mut line)?;
    Ok(line)
}

fn parse_header(line: &[u8]) -> Option<Header> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let mut words = line.strip_prefix("OVSDB ")?.split(' ');
    let (magic, length, sha1) = (words.next()?, words.next()?, words.next()?);
    let is_hex = sha1.len() == 40 && sha1.bytes().all(|b| b.is_ascii_hexdigit());
    if words.next().is_some() || !is_hex {
        return None;
    }
    let length = length.parse().ok().filter(|&length: &u64| length > 0)?;
    Some(Header { magic: magic.to_owned(), length, sha1: sha1.to_ascii_lowercase() })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Makes the file's name in its directory durable; best effort, as not every file system can.
fn sync_parent(path: &Path) {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if let Ok(directory) = File::open(parent) {
        let _ = directory.sync_all();
    }
}

#[cfg(test)]
mod tests;
