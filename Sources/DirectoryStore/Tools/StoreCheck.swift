internal import JSON
package import Platform
package import Store

/// Verifies a whole directory: all bytes that a checksum covers, the domain rules of every record, and the consistency
/// of records and index entries. It changes nothing in the directory.
package struct StoreCheck {
    /// The result of a check.
    package struct Report {
        /// The faults, one sentence each without the full stop. Each starts with file, offset and line.
        package fileprivate(set) var faults: [String] = []
        /// Whether bytes were changed. If not, the faults are in the contents of records.
        package fileprivate(set) var isDamaged = false
        /// Whether there are more faults than `faults` has.
        package fileprivate(set) var hasMore = false
        /// Observations that are not faults.
        package fileprivate(set) var notes: [String] = []
        /// The number of entries in the store.
        package fileprivate(set) var entries = 0
        /// The number of transactions that made them.
        package fileprivate(set) var transactions = 0

        /// Adds a fault. The number of faults in the report is limited.
        fileprivate mutating func add(_ fault: String) {
            if faults.count < Limits.faultsReportedMax { faults.append(fault) } else { hasMore = true }
        }
    }

    private let types: [String: RecordType]
    private let progress: (ToolProgress) -> Void
    private var report = Report()
    private var counters = CounterBounds()
    /// The keys of the deleted records that have a substitute.
    private var keysWithSubstitute: Set<StoreKey> = []

    /// Checks a directory. Other processes may use it at the same time.
    ///
    /// - Parameters:
    ///   - types: all record types that a store may hold.
    /// - Throws: `StoreError.noStore`, `.busy` or `.systemCall` if the directory could not be checked.
    package static func run(
        _ path: SystemString,
        types: [RecordType],
        settings: StoreSettings = StoreSettings(),
        progress: @escaping (ToolProgress) -> Void
    ) throws(StoreError) -> Report {
        var check = StoreCheck(types, progress)
        do throws(StoreError) {
            try check.run(path, settings)
        } catch {
            switch error {
            case .damaged, .newerFormat:
                check.report.isDamaged = true
                check.report.add("\(error)")
            default: throw error
            }
        }
        return check.report
    }

    private init(_ types: [RecordType], _ progress: @escaping (ToolProgress) -> Void) {
        self.types = Dictionary(uniqueKeysWithValues: types.map { ($0.collection, $0) })
        self.progress = progress
    }

    private mutating func run(_ path: SystemString, _ settings: StoreSettings) throws(StoreError) {
        let files = StoreFiles(directory: try .holdingStore(path, calls: settings.calls), calls: settings.calls)
        let opened = try Self.open(files, settings)
        for name in opened.names where name.hasPrefix(".torn-") {
            report.notes.append("\(name) has the end of an incomplete write")
        }
        let bases = try files.bases(of: opened.manifest, opened.bases, countsLines: true)
        var areBasesSound = true
        for (base, segment) in zip(bases, opened.manifest.segments) where try !check(base, segment) {
            areBasesSound = false
        }
        var space = LayeredSpace(over: try Bases(files: bases))
        let header = FileHeader.journal(of: opened.manifest)
        var replay = JournalReplay(
            behind: header,
            file: opened.manifest.journal,
            durable: opened.manifest.journalBytesSafe
        )
        progress(ToolProgress(phase: "reading the journal", done: 0, total: nil))
        try opened.journal.withUnsafeBytesTyped { bytes throws(StoreError) in
            try header.check(bytes, file: opened.manifest.journal)
            try replay.read(UnsafeRawBufferPointer(rebasing: bytes[header.bytes.count...]), into: &space)
        }
        report.transactions = replay.number
        guard replay.length >= opened.synced else {
            throw .lostEnd(of: opened.manifest, at: replay.length, opened.synced)
        }
        if !JournalRoom.torn(opened.journal[replay.length...]).isEmpty {
            report.notes.append(
                "\(opened.manifest.journal) ends with an incomplete write, at byte \(replay.length)"
            )
        }
        // If lines of a base are missing, many entries would be reported as inconsistent.
        if areBasesSound { try checkEntries(of: space) }
    }

    // MARK: Files

    /// Files that belong together, opened or read while the lock was held.
    private struct Opened {
        let manifest: Manifest
        let bases: [File]
        let journal: [UInt8]
        /// The number of bytes known to be synced.
        let synced: Int
        let names: [String]
    }

    private static func open(_ files: StoreFiles, _ settings: StoreSettings) throws(StoreError) -> Opened {
        let lock = try lock(of: files)
        try lock?.take(waitingMilliseconds: settings.lockWaitMilliseconds)
        defer { lock?.release() }
        let names = try files.directory.names()
        guard let (manifest, _) = try files.manifest() else {
            throw .damaged(file: Manifest.fileName, offset: 0, reason: "missing")
        }
        let (journal, _) = try files.journal(of: manifest, isWritable: false)
        return Opened(
            manifest: manifest,
            bases: try files.baseFiles(of: manifest),
            journal: try journal.contents(from: 0, upTo: try journal.status().bytes),
            synced: try SyncMarks.synced(in: files.directory, epoch: manifest.epoch, calls: files.calls),
            names: names
        )
    }

    /// The directory lock; nil if its file does not exist.
    static func lock(of files: StoreFiles) throws(StoreError) -> DirectoryLock? {
        do throws(StoreError) {
            return try DirectoryLock(in: files.directory, .reading, calls: files.calls)
        } catch  where error.isMissingFile {
            return nil
        }
    }

    /// Verifies each line of a base, and the checksum of the whole file.
    private mutating func check(_ base: BaseFile, _ segment: Manifest.Segment) throws(StoreError) -> Bool {
        var last: StoreKey?
        var isSound = true
        var offset = base.entries.lowerBound
        while offset < base.entries.upperBound {
            do throws(StoreError) {
                let line = try base.line(at: offset)
                try base.verify(line)
                let key = try base.key(of: line)
                if let last, !(last < key) { throw base.damaged(at: offset, "is out of order") }
                last = key
            } catch {
                (isSound, report.isDamaged) = (false, true)
                report.add("\(error)")
            }
            offset = base.nextLineStart(after: offset)
            report.entries += 1
            if report.entries % 4096 == 0 {
                progress(ToolProgress(phase: "checking \(base.name)", done: offset, total: segment.bytes))
                base.release(base.entries.lowerBound..<offset)
            }
        }
        if isSound, base.check != segment.check {
            report.add("\(base.name) does not match its checksum in \(Manifest.fileName)")
            (isSound, report.isDamaged) = (false, true)
        }
        return isSound
    }

    // MARK: Entries

    /// Verifies that every record can be decoded and has its index entries, and that every index entry has its record.
    private mutating func checkEntries(of space: LayeredSpace) throws(StoreError) {
        let expected = report.entries
        report.entries = 0
        try findSubstitutes(in: space)
        try space.forEach { key, value throws(StoreError) in
            report.entries += 1
            if report.entries % 4096 == 0 {
                let total = max(expected, report.entries)
                progress(ToolProgress(phase: "checking entries", done: report.entries, total: total))
                // More often would take less memory and more time: an access maps the pages around it too.
                space.bases.releaseFiles()
            }
            for fault in try faults(of: key, value.bytes, in: space) { report.add("\(key.text): \(fault)") }
        }
        for (name, least) in counters.behind {
            report.add("the counter \(name) must be at least \(least), the greatest number among its records")
        }
    }

    /// Finds the deleted records that have a substitute. Substitutes that cannot be decoded are reported later, when
    /// all entries are checked.
    private mutating func findSubstitutes(in space: LayeredSpace) throws(StoreError) {
        for type in types.values where type.canBeSubstitute {
            let bounds = KeyBounds(collection: type.collection, index: StoreKey.recordIndex, prefix: nil, from: nil)
            try space.forEach(from: bounds.lower, upTo: bounds.upper) { _, value throws(StoreError) in
                do throws(JSONError) {
                    keysWithSubstitute.formUnion(try type.entry(of: value.bytes).findings.keysWithSubstitute)
                } catch {
                    return
                }
            }
        }
    }

    private mutating func faults(
        of key: StoreKey,
        _ value: [UInt8],
        in space: LayeredSpace
    ) throws(StoreError) -> [String] {
        guard let pieces = key.pieces else { return ["this is not a valid key"] }
        if pieces.collection == StoreKey.counters {
            guard let number = Int(String(decoding: value, as: UTF8.self)) else {
                return ["the counter is not a whole number"]
            }
            _ = counters.set(String(decoding: pieces.key, as: UTF8.self), to: number)
            return CounterBounds.values.contains(number) ? [] : ["\(number) is not a valid value of a counter"]
        }
        guard let type = types[pieces.collection] else { return ["there is no such collection"] }
        if let index = type.countedIndexes[pieces.index] {
            return try fault(ofCount: value, of: Key(bytes: Array(pieces.key)), index, in: space).map { [$0] } ?? []
        }
        guard pieces.index == StoreKey.recordIndex else {
            return try fault(ofIndexEntry: key, value, type, in: space).map { [$0] } ?? []
        }
        return try faults(ofRecord: key, value, type, in: space)
    }

    private mutating func faults(
        ofRecord key: StoreKey,
        _ value: [UInt8],
        _ type: RecordType,
        in space: LayeredSpace
    ) throws(StoreError) -> [String] {
        let entry: RecordType.Entry
        do throws(JSONError) {
            entry = try type.entry(of: value)
        } catch {
            return ["the record cannot be read: \(error.recordFault)"]
        }
        var faults = entry.findings.faults.map(\.description)
        for reference in entry.findings.references {
            let record = try space.value(of: reference.key)?.bytes
            if let fault = reference.fault(in: record, keysWithSubstitute: keysWithSubstitute) { faults.append(fault) }
        }
        for key in entry.findings.keysWithSubstitute where try space.value(of: key) != nil {
            faults.append(RecordFindings.Reference.present(key.text))
        }
        guard let place = entry.place else { return faults }
        counters.note(place.numbers)
        if place.key != key { return faults + ["the key of the record should be \(place.key.text)"] }
        for index in place.indexKeys where try space.value(of: index)?.bytes != place.indexValue {
            faults.append("the index entry \(index.text) is missing or belongs to another record")
        }
        return faults
    }

    private func fault(
        ofCount value: [UInt8],
        of group: Key,
        _ index: CollectionIndex,
        in space: LayeredSpace
    ) throws(StoreError) -> String? {
        let bounds = KeyBounds(of: index, group: group)
        var count = 0
        try space.forEach(from: bounds.lower, upTo: bounds.upper) { _, _ throws(StoreError) in count += 1 }
        if Int(String(decoding: value, as: UTF8.self)) == count { return nil }
        return "this is not \(count), the number of entries in the index"
    }

    private func fault(
        ofIndexEntry key: StoreKey,
        _ value: [UInt8],
        _ type: RecordType,
        in space: LayeredSpace
    ) throws(StoreError) -> String? {
        do {
            guard let text = try JSONValue(parsing: value).string else {
                return "the index entry does not name a record"
            }
            let record = StoreKey(
                collection: type.collection,
                index: StoreKey.recordIndex,
                key: Key(bytes: Array(text.utf8))
            )
            guard let bytes = try space.value(of: record)?.bytes else {
                return "the record of the index entry is missing"
            }
            let isRight = try type.entry(of: bytes).place?.indexKeys.contains(key) ?? false
            return isRight ? nil : "the index entry does not match its record"
        } catch let error as StoreError {
            throw error
        } catch {
            return "the index entry or its record cannot be read"
        }
    }
}
