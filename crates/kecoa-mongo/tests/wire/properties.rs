//! Properties of all messages.

use bson::{RawArrayBuf, RawDocumentBuf, rawdoc};
use bytes::BytesMut;
use kecoa_mongo::wire::{Compressor, Delivery, Envelope, Frames, Incoming, Kind, Reply};
use kecoa_server::buffered::Decoder as _;
use proptest::prelude::*;

use crate::support::{body, compressed, content, message, msg, request, sequence, summed};

fn document() -> impl Strategy<Value = RawDocumentBuf> {
    prop_oneof![
        Just(rawdoc! {}),
        (any::<i64>(), ".{0,20}").prop_map(|(a, b)| rawdoc! { "a": a, "b": b }),
        prop::collection::vec(any::<f64>(), 0..20)
            .prop_map(|list| rawdoc! { "list": RawArrayBuf::from_iter(list) }),
        "[a-z]{0,300}".prop_map(|text| rawdoc! { "in": { "text": text } }),
    ]
}

fn compressor() -> impl Strategy<Value = Option<Compressor>> {
    prop::sample::select(vec![
        None,
        Some(Compressor::Noop),
        Some(Compressor::Snappy),
        Some(Compressor::Zlib),
        Some(Compressor::Zstd),
    ])
}

proptest! {
    #[test]
    fn what_was_put_into_sections_comes_out(
        command in document(),
        lists in prop::collection::btree_map("[A-Z]{1,8}", prop::collection::vec(document(), 0..9), 0..4),
        flags in prop::sample::select(vec![0, 2, 1 << 16, 1 << 17]),
        place in any::<prop::sample::Index>(),
    ) {
        let mut sections: Vec<_> =
            lists.iter().map(|(name, documents)| sequence(name, documents)).collect();
        sections.insert(place.index(sections.len() + 1), body(&command));
        for bytes in [msg(flags, &sections), summed(flags, &sections)] {
            let request = request(&bytes);
            prop_assert_eq!(request.body(), &*command);
            prop_assert_eq!(request.sequences().len(), lists.len());
            for (name, documents) in &lists {
                let found = request.sequence(name).unwrap();
                prop_assert!(found.is_storable());
                let found: Vec<_> = found.iter().map(ToOwned::to_owned).collect();
                prop_assert_eq!(&found, documents);
            }
        }
    }

    #[test]
    fn a_reply_is_a_message_with_its_document(
        document in document(),
        id in any::<i32>(),
        response_to in any::<i32>(),
        more_to_come in any::<bool>(),
        compressor in compressor(),
    ) {
        let delivery = Delivery { id, response_to, more_to_come, compressor };
        let mut output = BytesMut::new();
        Reply::new(document.clone()).encode(&Envelope::default(), &delivery, &mut output);
        prop_assert_eq!(&output[4..8], id.to_le_bytes());
        prop_assert_eq!(&output[8..12], response_to.to_le_bytes());
        let Some(Incoming::Request(again)) = Frames.decode(&mut output).unwrap() else {
            return Err(TestCaseError::fail("no request"));
        };
        prop_assert!(output.is_empty());
        prop_assert_eq!(again.body(), &*document);
        prop_assert_eq!(again.is_reply_expected(), !more_to_come);
        prop_assert_eq!(again.compressor(), compressor);
    }

    #[test]
    fn an_old_reply_ends_with_its_document(document in document(), compressor in compressor()) {
        let delivery = Delivery { id: 1, response_to: 2, more_to_come: false, compressor };
        let envelope = Envelope { kind: Kind::Query, ..Envelope::default() };
        let mut output = BytesMut::new();
        Reply::new(document.clone()).encode(&envelope, &delivery, &mut output);
        let length = i32::from_le_bytes(output[..4].try_into().unwrap());
        prop_assert_eq!(usize::try_from(length).unwrap(), output.len());
        if compressor.is_none() {
            prop_assert_eq!(&output[36..], document.as_bytes());
        }
    }

    #[test]
    fn any_content_is_answered_or_refused(
        opcode in prop::sample::select(vec![2004, 2005, 2012, 2013]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = Frames.decode(&mut BytesMut::from(&message(opcode, &bytes)[..]));
    }

    #[test]
    fn any_change_is_answered_or_refused(
        documents in prop::collection::vec(document(), 0..4),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let sections = [body(&rawdoc! { "insert": "c" }), sequence("documents", &documents)];
        let plain = content(0, &sections);
        let length = i32::try_from(plain.len()).unwrap();
        for mut bytes in [
            msg(0, &sections),
            summed(0, &sections),
            compressed(2013, length, 0, &plain),
            compressed(2013, length, 1, &snap::raw::Encoder::new().compress_vec(&plain).unwrap()),
        ] {
            let place = 4 + place.index(bytes.len() - 4);
            bytes[place] = byte;
            if let Ok(Some(Incoming::Request(request))) =
                Frames.decode(&mut BytesMut::from(&bytes[..]))
            {
                for document in request.sequences().iter().flat_map(|list| list.iter()) {
                    prop_assert!(document.into_iter().all(|field| field.is_ok()));
                }
            }
        }
    }

    #[test]
    fn any_compressed_bytes_are_refused_or_right(
        id in 0_u8..6,
        length in 0_i32..2_000_000,
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let zstd = [&[0x28, 0xb5, 0x2f, 0xfd], &bytes[..]].concat();
        for data in [&bytes, &zstd] {
            let _ = Frames.decode(&mut BytesMut::from(&compressed(2013, length, id, data)[..]));
        }
    }
}
