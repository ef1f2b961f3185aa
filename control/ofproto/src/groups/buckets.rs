//! Adding buckets to a group and removing them (OpenFlow 1.5 section 7.3.4.3).

use weir_openflow::OfpError;
use weir_openflow::messages::group::{self, bucket_id};

use super::Bucket;

/// The buckets with more of them inserted at the place that `at` says: first, last, or behind the
/// bucket of that number.
///
/// # Errors
/// `OFPGMFC_UNKNOWN_BUCKET` if there is no bucket of that number, `OFPGMFC_BUCKET_EXISTS` if one
/// to be inserted has the number of another.
pub fn insert(old: &[Bucket], new: &[group::Bucket], at: u32) -> Result<Vec<Bucket>, OfpError> {
    let position = match at {
        bucket_id::FIRST => 0,
        bucket_id::LAST => old.len(),
        id => find(old, id)? + 1,
    };
    let taken = |b: &group::Bucket| old.iter().any(|o| o.config.bucket_id == b.bucket_id);
    if new.iter().any(taken) {
        return Err(OfpError::OFPGMFC_BUCKET_EXISTS);
    }
    let mut all = old.to_vec();
    all.splice(position..position, new.iter().cloned().map(Bucket::from));
    Ok(all)
}

/// The buckets without the one that `which` says: first, last, that of a number, or all. A group
/// without buckets has no first and no last one, and keeps none.
///
/// # Errors
/// `OFPGMFC_UNKNOWN_BUCKET` if there is no bucket of that number.
pub fn remove(old: &[Bucket], which: u32) -> Result<Vec<Bucket>, OfpError> {
    let mut rest = old.to_vec();
    match which {
        bucket_id::ALL => rest.clear(),
        bucket_id::FIRST => {
            rest.drain(..rest.len().min(1));
        }
        bucket_id::LAST => {
            rest.pop();
        }
        id => {
            rest.remove(find(old, id)?);
        }
    }
    Ok(rest)
}

fn find(buckets: &[Bucket], id: u32) -> Result<usize, OfpError> {
    let found = buckets.iter().position(|b| b.config.bucket_id == id);
    found.ok_or(OfpError::OFPGMFC_UNKNOWN_BUCKET)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_openflow::OfPort;

    fn bucket(id: u32) -> group::Bucket {
        group::Bucket {
            bucket_id: id,
            weight: 0,
            watch_port: OfPort::NONE,
            watch_group: group::group_id::ANY,
            actions: Vec::new(),
        }
    }

    fn numbers(list: &[Bucket]) -> Vec<u32> {
        list.iter().map(|b| b.config.bucket_id).collect()
    }

    #[test]
    fn buckets_go_where_they_are_put() {
        let old: Vec<Bucket> = [5, 7].map(|n| bucket(n).into()).into();
        let new = [bucket(1), bucket(2)];
        let insert_at = |at| numbers(&insert(&old, &new, at).unwrap());
        assert_eq!(insert_at(bucket_id::FIRST), [1, 2, 5, 7]);
        assert_eq!(insert_at(bucket_id::LAST), [5, 7, 1, 2]);
        assert_eq!(insert_at(5), [5, 1, 2, 7]);
        let refused = |new: &[_], at| insert(&old, new, at).map(|_| ());
        assert_eq!(refused(&new, 6), Err(OfpError::OFPGMFC_UNKNOWN_BUCKET));
        assert_eq!(refused(&[bucket(7)], 5), Err(OfpError::OFPGMFC_BUCKET_EXISTS));
        assert_eq!(numbers(&remove(&old, bucket_id::FIRST).unwrap()), [7]);
        assert_eq!(numbers(&remove(&old, bucket_id::LAST).unwrap()), [5]);
        assert_eq!(numbers(&remove(&old, 5).unwrap()), [7]);
        assert!(remove(&old, 6).is_err() && remove(&old, bucket_id::ALL).unwrap().is_empty());
        assert!(remove(&[], bucket_id::FIRST).unwrap().is_empty());
    }
}
