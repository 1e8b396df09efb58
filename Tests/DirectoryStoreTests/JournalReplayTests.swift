import Testing

@testable import DirectoryStore
@testable import Store

struct JournalReplayTests {
    /// A small journal and the states that it went through.
    struct Sample {
        let directory: TemporaryDirectory
        let bytes: [UInt8]
        /// The offsets where the lines end, the header first. `states` has the store's entries at each of them.
        var ends: [Int] { bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 } }
        let states: [[String: String]]

        /// - Parameter chunk: The number of transactions that share a sync.
        init(chunk: Int = 1) throws {
            directory = try TemporaryDirectory()
            let engine = try directory.open()
            var states: [[String: String]] = [[:]]
            for number in 1...6 {
                try engine.write(
                    [("a/id/\(number)", #"{"name":"foo\#(number)@bar.com"}"#), ("a/id/\(number - 2)", nil)]
                )
                states.append(try engine.entries())
                if number % chunk == 0 { try engine.makeDurable() }
            }
            engine.close()
            self.states = states
            bytes = try directory.bytes()
        }

        /// Opens the store with these bytes as its journal, and returns its entries or the error.
        func open(_ bytes: some Sequence<UInt8>) throws -> Result<[String: String], StoreError> {
            try directory.write(bytes)
            try directory.forgetSyncs()
            do {
                return .success(try directory.open().entries())
            } catch let error as StoreError {
                return .failure(error)
            }
        }
    }

    /// Preallocated room after the lines, as a killed process leaves it.
    private static func room(_ count: Int) -> [UInt8] { [UInt8](repeating: JournalRoom.filler, count: count) }

    @Test(arguments: [1, 6], [0, 700])
    func opensWithTheWholeLinesAfterAnyTruncation(chunk: Int, room: Int) throws {
        let sample = try Sample(chunk: chunk)
        for length in sample.bytes.indices {
            let result = try sample.open(sample.bytes[..<length] + Self.room(room))
            // A write into room cannot be cut off just before its line feed,
            // unless the line feed is the first byte of a sector.
            if room > 0, length % 512 != 0, let line = sample.ends.dropFirst().firstIndex(of: length + 1) {
                #expect(
                    storeError { _ = try result.get() }
                        == .damaged(
                            file: "journal-1.jsonl",
                            offset: length,
                            reason: "line \(line + 1) does not end in a line feed"
                        )
                )
                continue
            }
            guard let line = sample.ends.lastIndex(where: { $0 <= length }) else {
                // A journal without its whole header cannot be opened.
                #expect(throws: StoreError.self) { try result.get() }
                continue
            }
            #expect(try result.get() == sample.states[line], "cut at \(length)")
            #expect(try sample.directory.bytes() == Array(sample.bytes[..<sample.ends[line]]))
            let kept = try sample.directory.names().filter { $0.hasPrefix(".torn-") }
            if length == sample.ends[line] {
                #expect(kept.isEmpty)
            } else {
                #expect(kept == [".torn-1-\(sample.ends[line])"])
                let tail = Array(sample.bytes[sample.ends[line]..<length])
                #expect(try sample.directory.bytes(of: kept[0]) == tail)
                #expect(try sample.directory.mode(of: kept[0]) == 0o600)
                try sample.directory.remove(kept[0])
            }
        }
    }

    @Test(arguments: [1, 6], [0, 700])
    func refusesAnyByteChanged(chunk: Int, room: Int) throws {
        let sample = try Sample(chunk: chunk)
        for index in sample.bytes.indices {
            let byte = sample.bytes[index]
            for change in [1, 0x20, 0x80, byte, byte ^ JournalRoom.filler] as [UInt8] {
                // A last line feed that changed to NUL looks like a torn write.
                if change == 0x0A, index == sample.bytes.count - 1 { continue }
                var changed = sample.bytes
                changed[index] ^= change
                changed += Self.room(room)
                guard case .failure(.damaged(let file, let offset, let reason)) = try sample.open(changed) else {
                    Issue.record("byte \(index) changed by \(change) went unnoticed")
                    continue
                }
                #expect(file == "journal-1.jsonl" && offset <= index)
                #expect(reason.hasPrefix("line ") || offset == 0)
                #expect(try sample.directory.rawBytes() == changed)
            }
        }
        #expect(try sample.open(sample.bytes + Self.room(room)).get() == sample.states.last)
        #expect(sample.directory.warnings.isEmpty)
    }

    @Test func refusesAMissingDuplicateOrMovedLine() throws {
        let sample = try Sample()
        let lines = zip([0] + sample.ends, sample.ends).map { Array(sample.bytes[$0..<$1]) }
        for order in [[0, 1, 2, 4, 5, 6], [0, 2, 3, 4, 5, 6], [0, 1, 2, 2, 3, 4, 5, 6], [0, 2, 1, 3, 4, 5, 6]] {
            let error = storeError { _ = try sample.open(order.flatMap { lines[$0] }).get() }
            #expect(error?.reason?.hasSuffix("does not match its checksum") == true)
        }
    }

    /// Lines that match their checks but cannot follow one another. `durable` counts from the end of the header.
    @Test(arguments: [
        (1, 0, "has number 1 instead of 2"), (3, 0, "has number 3 instead of 2"),
        (2, -1, "says that -1 bytes were synced, which is impossible"),
        (2, 9999, "says that 9999 bytes were synced, which is impossible"),
    ])
    func refusesLinesWithAWrongNumberOrDurableOffset(number: Int, durable: Int, reason: String) throws {
        let sample = try Sample()
        let manifest = try Manifest(parsing: try sample.directory.bytes(of: "manifest.json"))
        let header = FileHeader.journal(of: manifest)
        let write = StagedWrite(
            key: StoreKey(bytes: [UInt8(ascii: "a")]),
            value: nil,
            previous: nil,
            isErasable: false
        )
        var journal = header.bytes
        var check = header.check
        for (number, durable) in [(1, 0), (number, durable)] {
            var writer = JournalLineWriter()
            writer.start(number: number - 1, check: check)
            writer.append([write], durable: header.bytes.count + durable)
            journal += writer.bytes
            check = writer.check
        }
        let message = reason.replacing("that \(durable)", with: "that \(header.bytes.count + durable)")
        #expect(storeError { _ = try sample.open(journal).get() }?.reason == "line 3 \(message)")
    }

    @Test func setsAsideATailOfNulBytes() throws {
        let sample = try Sample()
        #expect(try sample.open(sample.bytes + [UInt8](repeating: 0, count: 5000)).get() == sample.states.last)
        #expect(try sample.directory.bytes() == sample.bytes)
        #expect(
            sample.directory.warnings == [
                "journal-1.jsonl ended with an incomplete write: its 5000 bytes were moved to "
                    + ".torn-1-\(sample.bytes.count)"
            ]
        )
        // A second tail at the same offset does not replace the first file.
        _ = try sample.open(sample.bytes + [0])
        let kept = try sample.directory.names().filter { $0.hasPrefix(".torn-") }
        #expect(kept == [".torn-1-\(sample.bytes.count)", ".torn-1-\(sample.bytes.count)-2"])
        // A power cut may lose the name of the first file only.
        try sample.directory.remove(kept[0])
        #expect(try sample.open(sample.bytes + [0]).get() == sample.states.last)
        #expect(try sample.directory.names().filter { $0.hasPrefix(".torn-") } == kept)
    }

    /// A journal that lost its last acknowledged lines looks whole.
    @Test func refusesAJournalThatEndsBeforeItsSyncedEnd() throws {
        let sample = try Sample(chunk: 1)
        for end in sample.ends.dropLast() {
            try sample.directory.write(sample.bytes[..<end])
            let error = storeError { _ = try sample.directory.open() }
            #expect("\(try #require(error))".contains("postern salvage"), "cut at \(end)")
            #expect(try sample.directory.bytes() == Array(sample.bytes[..<end]), "nothing is changed")
        }
        try sample.directory.write(sample.bytes)
        #expect(try sample.directory.open().entries() == sample.states.last)
    }

    @Test func appendsAfterATornTail() throws {
        let sample = try Sample()
        _ = try sample.open(sample.bytes.dropLast(3))
        try sample.directory.open().commit(("b", "1"))
        let state = sample.states[5].merging(["b": "1"]) { $1 }
        #expect(try sample.directory.open().entries() == state)
        #expect(sample.directory.warnings.count == 1)
    }

    /// A power cut kept the later sectors of a chunk and lost an earlier one, which was beyond the end of the file
    /// (0) or in room (the filler), or its end: the chunk took two writes, of which the first ended in that sector.
    @Test(arguments: [true, false], [(0, 0), (JournalRoom.filler, 0), (0, 100), (JournalRoom.filler, 510)])
    func setsAHoleAsideUnlessItWasSynced(isLastChunk: Bool, hole: (byte: UInt8, start: Int)) throws {
        let unwritten = hole.byte
        let directory = try TemporaryDirectory()
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        let before = try directory.bytes()
        let long = #"""# + String(repeating: "x", count: 2000) + #"""#
        try engine.write([("b", long)])
        try engine.write([("c", long)])
        try engine.makeDurable()
        if !isLastChunk { try engine.commit(("d", "1")) }
        engine.close()
        var bytes = try directory.bytes()
        let sector = (before.count / 512 + 2) * 512
        for index in sector + hole.start..<sector + 512 { bytes[index] = unwritten }
        try directory.write(bytes)
        try directory.forgetSyncs()
        if isLastChunk {
            #expect(try directory.open().entries() == ["a": "1"])
            #expect(try directory.bytes() == before)
            #expect(try directory.bytes(of: ".torn-1-\(before.count)") == Array(bytes[before.count...]))
        } else {
            #expect(
                storeError { _ = try directory.open() }
                    == .damaged(
                        file: "journal-1.jsonl",
                        offset: before.count,
                        reason: unwritten == 0 ? "line 3 contains NUL bytes" : "line 3 does not match its checksum"
                    )
            )
            #expect(try directory.bytes() == bytes)
        }
    }

    @Test func refusesEditedLines() throws {
        let sample = try Sample()
        let text = String(decoding: sample.bytes, as: UTF8.self)
        let offset = sample.ends[0]
        let carriageReturns = Array(text.utf8).flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
        #expect(
            storeError { _ = try sample.open(carriageReturns).get() }
                == .damaged(
                    file: "journal-1.jsonl",
                    offset: 0,
                    reason: "line 1 ends in a carriage return: it was edited"
                )
        )
        #expect(
            storeError { _ = try sample.open([0xEF, 0xBB, 0xBF] + sample.bytes).get() }
                == .damaged(
                    file: "journal-1.jsonl",
                    offset: 0,
                    reason: "line 1 begins with a byte order mark: it was edited"
                )
        )
        var invalid = sample.bytes
        invalid[offset + 40] = 0xFF
        #expect(
            storeError { _ = try sample.open(invalid).get() }
                == .damaged(file: "journal-1.jsonl", offset: offset, reason: "line 2 is not UTF-8")
        )
    }
}
