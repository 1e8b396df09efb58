import CLibrary
import Platform
import Testing

@testable import DirectoryStore
@testable import Store

struct FailedWriteTests {
    /// Makes system calls fail, and counts them.
    final class Disk {
        var writes = 0
        var syncs = 0
        /// The error of every further write, after `bytesUntilError` bytes were written.
        var writeError: Int32?
        var bytesUntilError = 0
        var syncError: Int32?
        var truncateError: Int32?
        var truncations = 0
        var onTruncate: () -> Void = {}

        var calls: any SystemCalls {
            let real = RealCalls.shared
            let calls = ChangedCalls()
            calls.onWrite = { [self] descriptor, bytes, offset in
                writes += 1
                guard let writeError else { return real.write(descriptor, bytes, offset) }
                let count = min(bytesUntilError, bytes.count)
                guard count > 0 else {
                    errno = writeError
                    return -1
                }
                bytesUntilError -= count
                return real.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes[..<count]), offset)
            }
            calls.onSync = { [self] descriptor in
                syncs += 1
                guard let syncError else { return real.sync(descriptor) }
                errno = syncError
                return -1
            }
            calls.onTruncate = { [self] descriptor, length in
                truncations += 1
                onTruncate()
                guard let truncateError else { return real.truncate(descriptor, length) }
                errno = truncateError
                return -1
            }
            return calls
        }
    }

    let directory: TemporaryDirectory
    let disk = Disk()

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func oneWriteAndOneSyncServeAGroup() throws {
        let engine = try directory.open(calls: disk.calls)
        (disk.writes, disk.syncs) = (0, 0)
        for number in 0..<100 { try engine.write([("a\(number)", "1")]) }
        #expect(disk.writes == 0)
        try engine.makeDurable()
        // One of the writes preallocates room.
        #expect((disk.writes, disk.syncs) == (2, 1))
        try engine.makeDurable()
        try engine.write { _ in }
        try engine.makeDurable()
        #expect((disk.writes, disk.syncs) == (2, 1))
        try engine.commit(("b", "1"))
        #expect((disk.writes, disk.syncs) == (3, 2))
    }

    /// Preallocated room only saves time: if the disk is full or writing room fails, lines are written without it.
    @Test(arguments: [ENOSPC, EFBIG, EIO], [0, 5_000])
    func writesLinesWhenPreallocationFails(code: Int32, written: Int) throws {
        let engine = try directory.open(calls: disk.calls)
        for number in 1...3 {
            try engine.write([("a\(number)", "1")])
            let line = try lineBytes(of: "a\(number)")
            (disk.writeError, disk.bytesUntilError) = (code, line + written)
            try engine.makeDurable()
            #expect(try directory.rawBytes() == directory.bytes())
        }
        disk.writeError = nil
        try engine.commit(("b", "1"))
        #expect(try directory.rawBytes().count == directory.bytes().count + Limits.journalRoomBytes)
        engine.close()
        #expect(try directory.open().entries() == ["a1": "1", "a2": "1", "a3": "1", "b": "1"])
        #expect(directory.warnings.isEmpty)
    }

    /// The length of the line that sets a two-letter key to a digit.
    private func lineBytes(of key: String) throws -> Int {
        let durable = try directory.bytes().count
        return #"{"n":1,"d":\#(durable),"w":[["\#(key)",1]],"c":"00000000"}"#.utf8.count + 1
    }

    @Test(arguments: [ENOSPC, EDQUOT, EFBIG], [0, 1, 40, 80])
    func undoesAWriteWhenTheDiskIsFull(code: Int32, written: Int) throws {
        let engine = try directory.open(calls: disk.calls)
        try engine.commit(("a", "1"))
        let before = try directory.bytes()
        try engine.write([("a", "2")])
        try engine.write([("b", "1")])
        (disk.writeError, disk.bytesUntilError) = (code, written)
        #expect(storeError { try engine.makeDurable() } == .diskFull)
        #expect(try directory.bytes() == before)
        #expect(try engine.entries() == ["a": "1"])
        disk.writeError = nil
        try engine.commit(("c", "1"))
        engine.close()
        #expect(try directory.open().entries() == ["a": "1", "c": "1"])
        #expect(directory.warnings.isEmpty)
    }

    @Test func readsTheTailAgainAfterAnInputOutputError() throws {
        let engine = try directory.open(calls: disk.calls)
        try engine.commit(("a", "1"))
        try engine.write([("b", "1")])
        (disk.writeError, disk.bytesUntilError) = (EIO, 10)
        let error = StoreError.systemCall(name: "write journal-1.jsonl", .inputOutput, outcomeUnknown: false)
        #expect(storeError { try engine.makeDurable() } == error)
        engine.discardStaged()
        disk.writeError = nil
        try engine.commit(("c", "1"))
        engine.close()
        #expect(try directory.open().entries() == ["a": "1", "c": "1"])
    }

    @Test func refusesWritesWhenTheLastLineHasChanged() throws {
        let engine = try directory.open(calls: disk.calls)
        try engine.commit(("a", "1"))
        try engine.write([("b", "1")])
        disk.writeError = EIO
        #expect(storeError { try engine.makeDurable() } != nil)
        disk.writeError = nil
        var bytes = try directory.bytes()
        bytes[bytes.count - 5] ^= 1
        try directory.write(bytes)
        let start = try #require(bytes.dropLast().lastIndex(of: 0x0A)) + 1
        let damage = StoreError.damaged(
            file: "journal-1.jsonl",
            offset: start,
            reason: "the last line has changed since it was written"
        )
        for _ in 0..<2 { #expect(storeError { try engine.commit(("b", "1")) } == damage) }
        #expect(try directory.bytes() == bytes)
    }

    @Test(arguments: [EIO, ENOSPC])
    func refusesWritesAfterAFailedSync(code: Int32) throws {
        let engine = try directory.open(calls: disk.calls)
        try engine.commit(("a", "1"))
        try engine.write([("b", "1")])
        disk.syncError = code
        guard
            case .systemCall(_, SystemError(number: code), outcomeUnknown: true) = storeError({
                try engine.makeDurable()
            })
        else {
            Issue.record("the outcome is unknown")
            return
        }
        engine.discardStaged()
        disk.syncError = nil
        let (writes, syncs) = (disk.writes, disk.syncs)
        for _ in 0..<2 {
            let error = storeError { try engine.commit(("c", "1")) }
            guard case .systemCall(_, SystemError(number: code), outcomeUnknown: false) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            engine.discardStaged()
        }
        // The error of a compaction was once that the directory cannot be written to.
        guard
            case .systemCall(_, SystemError(number: code), outcomeUnknown: false) = storeError({
                _ = try engine.compact()
            })
        else {
            Issue.record("the failed sync is not the reason")
            return
        }
        #expect(try engine.entries() == ["a": "1"])
        try engine.makeDurable()
        let bytes = try directory.rawBytes()
        engine.close()
        #expect((disk.writes, disk.syncs) == (writes, syncs))
        #expect(try directory.rawBytes() == bytes)
        // The transaction with an unknown outcome is present whole or not at all.
        let entries = try directory.open().entries()
        #expect(entries == ["a": "1", "b": "1"] || entries == ["a": "1"])
    }

    @Test func setsAsideAFailedWriteThatCouldNotBeTruncated() throws {
        let engine = try directory.open(calls: disk.calls)
        try engine.commit(("a", "1"))
        try engine.write([("b", "1")])
        (disk.writeError, disk.bytesUntilError, disk.truncateError) = (ENOSPC, 10, EIO)
        #expect(storeError { try engine.makeDurable() } == .diskFull)
        disk.writeError = nil
        #expect(
            storeError { _ = try engine.entries() }
                == .systemCall(name: "truncate journal-1.jsonl", .inputOutput, outcomeUnknown: false)
        )
        disk.truncateError = nil
        try engine.commit(("c", "1"))
        #expect(try engine.entries() == ["a": "1", "c": "1"])
        engine.close()
        #expect(try directory.open().entries() == ["a": "1", "c": "1"])
        #expect(directory.warnings.count == 1)
    }

    @Test func retriesInterruptedSystemCalls() throws {
        let real = disk.calls
        var interruptions = 0
        func interrupted() -> Bool {
            interruptions += 1
            errno = EINTR
            return interruptions % 2 == 1
        }
        let calls = ChangedCalls()
        calls.onWrite = { interrupted() ? -1 : real.write($0, $1, $2) }
        calls.onSync = { interrupted() ? -1 : real.sync($0) }
        calls.onTruncate = { interrupted() ? -1 : real.truncate($0, $1) }
        calls.onLock = { interrupted() ? -1 : real.lock($0, $1) }
        try directory.open(calls: calls).commit(("a", "1"))
        #expect(interruptions > 4)
        #expect(try directory.open().entries() == ["a": "1"])
    }

    /// After a failed sync of another process, the system may drop a line that waits to be synced. A process that opens
    /// the directory then writes its own line there, and syncs that.
    @Test func noticesThatALineWasWrittenInPlaceOfItsOwn() throws {
        let calls = ChangedCalls()
        let engine = try directory.open(calls: calls)
        try engine.commit(("a", "1"))
        let before = try directory.bytes()
        var isLost = false
        calls.onSync = { [directory] descriptor in
            if !isLost {
                isLost = true
                do {
                    try directory.write(before)
                    try directory.open().commit(("b", "1"))
                } catch {
                    Issue.record(error)
                }
            }
            return RealCalls.shared.sync(descriptor)
        }
        let error = storeError { try engine.commit(("c", "1")) }
        guard case .systemCall(_, .inputOutput, outcomeUnknown: true) = error else {
            Issue.record("a lost line is answered with \(error.map { "\($0)" } ?? "success")")
            return
        }
        #expect(storeError { try engine.commit(("d", "1")) } != nil)
        #expect(try directory.open().entries() == ["a": "1", "b": "1"])
    }

    @Test func noticesThatItsFileWasTruncated() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        let length = try directory.bytes().count
        // Truncate the file in place: after a replacement, the engine would still have the old file.
        let descriptor = open(directory.path + "/journal-1.jsonl", O_WRONLY)
        #expect(ftruncate(descriptor, length - 1) == 0)
        close(descriptor)
        let damage = StoreError.damaged(
            file: "journal-1.jsonl",
            offset: length - 1,
            reason: "another program truncated the file"
        )
        #expect(storeError { try engine.commit(("b", "1")) } == damage)
        #expect(storeError { _ = try engine.entries() } == damage)
    }

    @Test func noticesThatItsFileWasRemoved() throws {
        let engine = try directory.open()
        try directory.remove("journal-1.jsonl")
        let reason = "the file was removed while it was in use"
        #expect(storeError { _ = try engine.entries() }?.reason == reason)
        #expect(storeError { try engine.commit(("b", "1")) }?.reason == reason)
    }

    @Test func retriesAFailedErasure() throws {
        let calls = ChangedCalls()
        var erasures = 0
        calls.onWrite = { descriptor, bytes, offset in
            let isErasure = bytes.allSatisfy { $0 == UInt8(ascii: " ") }
            if isErasure { erasures += 1 }
            guard isErasure, erasures == 1 else { return RealCalls.shared.write(descriptor, bytes, offset) }
            errno = EIO
            return -1
        }
        let engine = try directory.open(calls: calls)
        try engine.commit(("m", #"{"code":"271828"}"#), isErasable: true)
        try engine.commit(("m", nil))
        #expect(try directory.text().contains("271828"))
        #expect(directory.warnings == ["a value could not be erased: write journal-1.jsonl: Input/output error"])
        try engine.commit(("a", "1"))
        #expect(try !directory.text().contains("271828"))
    }

    @Test(arguments: [0, 1])
    func refusesToOpenWhenTheFirstUseFails(call: Int) throws {
        if call == 0 { disk.writeError = ENOSPC } else { disk.syncError = EIO }
        #expect(storeError { _ = try directory.open(calls: disk.calls) } != nil)
        try directory.open().commit(("a", "1"))
        #expect(try directory.open().entries() == ["a": "1"])
    }

    @Test func keepsATornTailThatCannotBeSetAside() throws {
        try directory.open().commit(("a", "1"))
        let torn = try directory.bytes() + Array(#"{"n":2,"#.utf8)
        try directory.write(torn)
        disk.writeError = ENOSPC
        let engine = try directory.open(calls: disk.calls)
        // This process and others can read the store, and write to it once there is space.
        #expect(try engine.entries() == ["a": "1"])
        #expect(storeError { try engine.commit(("b", "1")) } == .diskFull)
        #expect(try engine.entries() == ["a": "1"])
        #expect(try directory.bytes() == torn)
        #expect(try directory.names() == ["journal-1.jsonl", "manifest.json"])
        disk.writeError = nil
        try engine.commit(("b", "1"))
        #expect(try directory.open().entries() == ["a": "1", "b": "1"])
    }

    /// If a process is killed after it cut a torn tail, the bytes may come back after a power cut, beside those of a line
    /// in their place. So the next process settles the journal before it writes.
    @Test(arguments: [false, true])
    func anotherProcessSettlesTheJournalAfterACut(isOfFailedWrite: Bool) throws {
        let disk = Disk()
        let (engine, other) = (try directory.open(calls: disk.calls), try directory.open())
        try other.commit(("a", "1"))
        _ = try engine.entries()
        try engine.makeDurable()
        let journal = try #require(other.directory?.journal)
        #expect(!journal.mustSettle)
        disk.onTruncate = { #expect(journal.mustSettle) }
        if isOfFailedWrite {
            (disk.writeError, disk.bytesUntilError) = (ENOSPC, 20)
            #expect(storeError { try engine.commit(("b", "1")) } == .diskFull)
            disk.writeError = nil
        } else {
            try directory.overwrite(Array(#"{"n":2,"#.utf8), at: try #require(engine.directory?.journal.length))
            try engine.commit(("b", "1"))
        }
        #expect(disk.truncations > 0)
        #expect(engine.directory?.journal.mustSettle == false && journal.mustSettle)
        try other.commit(("c", "1"))
        #expect(!journal.mustSettle)
        let entries = isOfFailedWrite ? ["a": "1", "c": "1"] : ["a": "1", "b": "1", "c": "1"]
        #expect(try engine.entries() == entries && other.entries() == entries)
    }

    /// A torn tail that starts with a hole looks like room at its first byte. Lines written over it might be torn by a
    /// power cut so that a line of mixed sectors remains, which is damage.
    @Test func setsAsideATornTailThatStartsWithAHole() throws {
        let engine = try directory.open(calls: disk.calls)
        try engine.commit(("a", "1"))
        let before = try directory.bytes()
        let sector = (before.count + 511) / 512 * 512
        let hole = [UInt8](repeating: JournalRoom.filler, count: sector - before.count)
        let torn = hole + Array("the rest of a line\n".utf8)
        try directory.overwrite(torn, at: before.count)
        #expect(try engine.entries() == ["a": "1"])
        let long = "\"\(String(repeating: "b", count: 600))\""
        disk.writeError = ENOSPC
        #expect(storeError { try engine.commit(("b", long)) } == .diskFull)
        #expect(try directory.bytes() == before + torn)
        disk.writeError = nil
        try engine.commit(("b", long))
        #expect(try directory.bytes(of: ".torn-1-\(before.count)") == torn)
        #expect(try directory.open().entries() == ["a": "1", "b": long])
        #expect(directory.warnings.count == 1)
    }

    /// A later line says that the bytes in the place of the next line were synced once.
    @Test func doesNotWriteOverLinesThatWereSynced() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        let length = try directory.bytes().count
        let other = try directory.open()
        for number in 1...2 { try other.commit(("b", "\"\(String(repeating: "\(number)", count: 600))\"")) }
        let hole = [UInt8](repeating: JournalRoom.filler, count: (length + 511) / 512 * 512 - length)
        try directory.overwrite(hole, at: length)
        let word = withUnsafeBytes(of: UInt64(1) << 44 | UInt64(length), Array.init)
        try directory.overwrite(word + word, of: "lock.sync", at: 0)
        let damaged = try directory.rawBytes()
        let error = storeError { try engine.commit(("c", "\"\(String(repeating: "c", count: 600))\"")) }
        #expect(error?.reason?.contains("does not match its checksum") == true)
        #expect(try directory.rawBytes() == damaged)
    }
}
