package import Platform
internal import JSON

/// Saves what can be read of a damaged directory into a new one.
///
/// Every line stands for itself here. One of a base is taken if it matches its check. One of the journal is taken if it
/// matches the check continued from the line before; where that line is damaged, from the check that it has written, or
/// the one that its bytes come to, whichever of the two still holds. What is taken of records is put together anew, with
/// new indexes.
package struct StoreSalvage {
    /// What became of it.
    package struct Report {
        /// What was lost, or is in doubt, a sentence each without the full stop.
        package fileprivate(set) var losses: [String] = []
        /// How many records were saved.
        package fileprivate(set) var records = 0
    }

    private let types: [RecordType]
    private let files: StoreFiles
    private let progress: (ToolProgress) -> Void
    private var space = LayeredSpace()
    /// Keys whose values cannot be read, and that no later line sets or removes.
    private var unreadable: Set<StoreKey> = []
    private var report = Report()

    /// Saves what can be read of the store at `path` to `destination`, which must not be there, or be empty. What is at
    /// `path` stays as it is; nobody may be using it.
    ///
    /// - Throws: `StoreError.noStore`, `.exists`, `.unnamed`, `.withinStore`, `.busy`, `.diskFull`, `.systemCall`.
    package static func run(
        _ path: SystemString,
        to destination: SystemString,
        types: [RecordType],
        settings: StoreSettings = StoreSettings(),
        progress: @escaping (ToolProgress) -> Void
    ) throws(StoreError) -> Report {
        let writer = StoreWriter(path: destination, calls: settings.calls)
        try writer.checkPlace()
        let files = StoreFiles(directory: try .holdingStore(path, calls: settings.calls), calls: settings.calls)
        let lock = try StoreCheck.lock(of: files)
        try lock?.take(waitingMilliseconds: settings.lockWaitMilliseconds)
        defer { lock?.release() }
        var salvage = StoreSalvage(types: types, files: files, progress: progress)
        try salvage.read()
        let builder = try salvage.rebuild()
        try writer.write(builder.space, erasable: builder.erasable, transactions: 0, progress: progress)
        return salvage.report
    }

    private init(types: [RecordType], files: StoreFiles, progress: @escaping (ToolProgress) -> Void) {
        (self.types, self.files, self.progress) = (types, files, progress)
    }

    // MARK: Files

    private mutating func read() throws(StoreError) {
        var manifest: Manifest?
        do throws(StoreError) {
            manifest = try files.manifest()?.0
            if manifest == nil { report.losses.append("\(Manifest.fileName) is missing") }
        } catch {
            guard case .damaged = error else { throw error }
            report.losses.append("\(error)")
        }
        // Without a manifest the least epoch counts: its files go only once a later one is complete.
        let names = try files.directory.names()
        let epochs = names.compactMap(StoreFiles.epoch(of:))
        guard var epoch = manifest?.epoch ?? epochs.min() else { throw .noStore("\(files.directory.path)") }
        if !epochs.contains(epoch), let other = epochs.min() {
            report.losses.append("the files of epoch \(epoch) are missing; those of epoch \(other) are taken")
            (epoch, manifest) = (other, nil)
        }
        for name in names where StoreFiles.epoch(of: name).map({ $0 != epoch }) ?? false {
            report.losses.append("\(name), of another epoch, is not looked at")
        }
        let base = Manifest.baseName(of: epoch)
        if manifest?.segment != nil || names.contains(base) { try readBase(base, manifest) }
        try readJournal(Manifest.journalName(of: epoch), manifest)
        for name in names where name.hasPrefix(".torn-") {
            report.losses.append("\(name), the end of a write that was cut off, is not looked at")
        }
    }

    /// The bytes of a file, or none where it cannot be read; that is told.
    private mutating func contents(of name: String) -> [UInt8] {
        progress(ToolProgress(phase: "reading \(name)", done: 0, total: nil))
        do throws(StoreError) {
            let file = try File(name, in: files.directory, .reading, calls: files.calls)
            return try file.contents(from: 0, upTo: try file.status().bytes)
        } catch {
            report.losses.append("\(name) cannot be read: \(error)")
            return []
        }
    }

    /// The header that a file's manifest asks for, or that it begins with; nil where it is lost, which is told.
    private mutating func header(
        of name: String,
        _ bytes: [UInt8],
        _ known: FileHeader?,
        _ make: (_ store: String, _ epoch: Int, _ transactions: Int) -> FileHeader
    ) -> FileHeader? {
        if let known {
            if !bytes.isEmpty, !bytes.starts(with: known.bytes) {
                report.losses.append("\(name): the header is damaged; \(Manifest.fileName) has what it said")
            }
            return known
        }
        do throws(StoreError) {
            let line = try SealedLine(parsing: Array(bytes.prefix { $0 != 0x0A }) + [0x0A], file: name)
            return make(line.store, line.epoch, line.value["n"]?.int ?? 0)
        } catch {
            if !bytes.isEmpty { report.losses.append("\(name): the header is lost, and with it all of the file") }
            return nil
        }
    }

    private mutating func readBase(_ name: String, _ manifest: Manifest?) throws(StoreError) {
        let bytes = contents(of: name)
        let known = manifest.flatMap { FileHeader.base(of: $0) }
        guard let header = header(of: name, bytes, known, FileHeader.base(of:epoch:transactions:)) else { return }
        let end = manifest?.segment?.bytes ?? bytes.count
        if end != bytes.count { report.losses.append("\(name) has \(bytes.count) bytes of \(end)") }
        BaseSalvage(bytes, header, length: end).forEach { finding in
            switch finding {
            case .entry(let key, let value): space.set(StoredValue(bytes: value), at: key)
            case .lost(let offset, let key):
                let key = key.map { ", that of \($0)" } ?? ""
                report.losses.append("\(name) at byte \(offset): a line is lost\(key)")
            case .moved(let offset, let bytes):
                let what = bytes > 0 ? "\(bytes) bytes were inserted" : "\(-bytes) bytes were removed"
                report.losses.append("\(name) at byte \(offset): before it \(what); lines behind it are taken")
            }
        }
    }

    // MARK: The journal

    private mutating func readJournal(_ name: String, _ manifest: Manifest?) throws(StoreError) {
        let bytes = contents(of: name)
        let known = manifest.map { FileHeader.journal(of: $0) }
        guard let header = header(of: name, bytes, known, FileHeader.journal(of:epoch:transactions:)) else { return }
        var chain = [Link(check: header.check)]
        for (offset, line) in Lines(Array(JournalRoom.torn(bytes[...])), behind: header) {
            chain = line.withUnsafeBytes { take($0, behind: chain, Place(file: name, offset: offset)) }
        }
    }

    /// What a line's check may be continued from.
    private struct Link {
        /// Nil where nothing is known.
        let check: UInt32?
        /// The line before, which looked damaged: right in all but its own check if this is what holds.
        var doubted: ArraySlice<UInt8>?
    }

    private struct Place: CustomStringConvertible {
        let file: String
        let offset: Int

        var description: String { "\(file) at byte \(offset)" }
    }

    /// Takes a line of the journal, if it can be.
    ///
    /// - Returns: what the next line's check may be continued from, the likeliest first.
    private mutating func take(_ line: UnsafeRawBufferPointer, behind chain: [Link], _ place: Place) -> [Link] {
        var writes: [JournalLine.Write] = []
        for link in chain {
            do throws(LineFault) {
                let parsed = try JournalLine(parsing: line, after: link.check, writes: &writes)
                if let doubted = link.doubted { takeBackLoss(of: doubted, check: link.check) }
                if link.check == nil {
                    report.losses.append("\(place): a line is taken, though the one that vouches for it is lost")
                }
                apply(writes, of: line)
                return [Link(check: parsed.check)]
            } catch {
                continue
            }
        }
        report.losses.append("\(place): a line is lost\(Self.keys(of: line))")
        var next: [Link] = []
        if let written = JournalLine.checkWritten(in: line) { next.append(Link(check: written)) }
        for check in chain.compactMap(\.check) {
            guard let computed = JournalLine.checkComputed(of: line, after: check) else { continue }
            next.append(Link(check: computed, doubted: ArraySlice(line)))
        }
        return next + [Link(check: nil)]
    }

    /// Takes the last line that was told to be lost: the next one has shown that nothing but its check is wrong.
    private mutating func takeBackLoss(of line: ArraySlice<UInt8>, check: UInt32?) {
        report.losses.removeLast()
        line.withUnsafeBytes { line in
            var writes: [JournalLine.Write] = []
            do throws(LineFault) {
                _ = try JournalLine(parsing: line, after: nil, known: check, writes: &writes)
                apply(writes, of: line)
            } catch {
                report.losses.append("a line is lost\(Self.keys(of: line))")
            }
        }
    }

    private mutating func apply(_ writes: [JournalLine.Write], of line: UnsafeRawBufferPointer) {
        for write in writes {
            space.set(StagedWrite(write, of: line).value, at: write.key)
            if case .slot(_, value: nil) = write.content {
                unreadable.insert(write.key)
            } else {
                unreadable.remove(write.key)
            }
        }
    }

    /// The keys that a damaged line seems to have written, for people.
    private static func keys(of line: UnsafeRawBufferPointer) -> String {
        do throws(JSONError) {
            let value = try JSONValue(parsing: line)
            let keys = (value["w"]?.array ?? []).compactMap { $0.array?.first?.string }
            return keys.isEmpty ? "" : ", which wrote \(keys.joined(separator: ", "))"
        } catch {
            return ""
        }
    }

    // MARK: Records

    /// Puts the records together anew.
    private mutating func rebuild() throws(StoreError) -> StoreBuilder {
        for key in unreadable.sorted() { report.losses.append("\(key.text) is lost: its value is damaged or erased") }
        var builder = StoreBuilder(types)
        var findings: [(key: StoreKey, RecordFindings)] = []
        try space.forEach { key, value throws(StoreError) in
            guard let pieces = key.pieces, pieces.index == StoreKey.recordIndex else { return }
            do throws(StoreBuilder.Refusal) {
                if pieces.collection == StoreKey.counters {
                    guard let number = Int(String(decoding: value.bytes, as: UTF8.self)) else {
                        throw StoreBuilder.Refusal(reason: "a counter that is no whole number")
                    }
                    try builder.setCounter(String(decoding: pieces.key, as: UTF8.self), to: number)
                } else {
                    findings.append((key, try builder.add(value.bytes, to: pieces.collection)))
                    report.records += 1
                }
            } catch {
                report.losses.append("\(key.text) is lost: \(error.reason)")
            }
        }
        // Such records are saved: a person who exports and edits them can put them right.
        for (key, findings) in findings {
            var faults = findings.faults.map(\.description)
            for reference in findings.references {
                let record = try builder.space.value(of: reference.key)?.bytes
                if let fault = reference.fault(in: record, standIns: builder.standIns) { faults.append(fault) }
            }
            for key in findings.standIns where try builder.space.value(of: key) != nil {
                faults.append(RecordFindings.Reference.present(key.text))
            }
            for fault in faults { report.losses.append("\(key.text) is saved, but does not fit: \(fault)") }
        }
        for (name, least) in builder.countersBehind {
            report.losses.append("the counter \(name) was lost in part, and goes on behind \(least)")
        }
        builder.mendCounters()
        builder.setCounts()
        return builder
    }
}
