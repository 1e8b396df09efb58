package import Platform
internal import JSON
package import Store

/// Saves the readable records of a damaged directory into a new one.
///
/// Each line is judged separately. A line of a base is taken if it matches its checksum. A line of the journal is taken
/// if it matches the checksum continued from the line before. If the line before is damaged, there are two candidates
/// to continue from: the checksum written in the damaged line, and the checksum computed from its bytes. The records
/// that were taken are put into a new store with new indexes.
package struct StoreSalvage {
    /// The result of a salvage.
    package struct Report {
        /// What was lost or is in doubt, one sentence each without the full stop.
        package internal(set) var losses: [String] = []
        /// The number of records saved.
        package internal(set) var records = 0
    }

    private let types: [RecordType]
    private let files: StoreFiles
    private let progress: (ToolProgress) -> Void
    var space = LayeredSpace()
    /// The keys whose values cannot be read, and that no later line sets or removes.
    private var unreadable: Set<StoreKey> = []
    var report = Report()

    /// Saves the readable records of the store at `path` to `destination`, which must be unused or an empty directory.
    /// The store at `path` is not changed. No process may be using it.
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
        // Without a manifest the epoch of the earliest journal is used: it is removed only when a later epoch is
        // complete. Bases are kept for many epochs.
        let names = try files.directory.names()
        let epochs = names.compactMap(StoreFiles.epoch(of:))
        let earliest = epochs.filter { names.contains(Manifest.journalName(of: $0)) }.min() ?? epochs.max()
        guard var epoch = manifest?.epoch ?? earliest else { throw .noStore("\(files.directory.path)") }
        if !epochs.contains(epoch), let other = earliest {
            report.losses.append("the files of epoch \(epoch) are missing; the files of epoch \(other) are used")
            (epoch, manifest) = (other, nil)
        }
        let bases = bases(of: epoch, manifest, among: names)
        for name in names where StoreFiles.epoch(of: name) != nil {
            guard name != Manifest.journalName(of: epoch), !bases.contains(where: { $0.name == name }) else { continue }
            report.losses.append("\(name) is ignored: it belongs to another epoch")
        }
        // The newer ones last, because their entries replace those of the older ones.
        for (index, base) in bases.enumerated().reversed() { readBase(base, hasOlder: index < bases.count - 1) }
        try readJournal(Manifest.journalName(of: epoch), manifest)
        for name in names where name.hasPrefix(".torn-") {
            report.losses.append("\(name) is ignored: it has the end of an incomplete write")
        }
    }

    /// The bytes of a file; empty if it cannot be read, which is reported.
    mutating func contents(of name: String) -> [UInt8] {
        progress(ToolProgress(phase: "reading \(name)", done: 0, total: nil))
        do throws(StoreError) {
            return try contents(of: name, upTo: .max)
        } catch {
            report.losses.append("\(name) cannot be read: \(error)")
            return []
        }
    }

    private func contents(of name: String, upTo end: Int) throws(StoreError) -> [UInt8] {
        let file = try File(name, in: files.directory, .reading, calls: files.calls)
        return try file.contents(from: 0, upTo: min(end, file.status().bytes))
    }

    /// The first line of a file; empty if the file cannot be read, which is not reported.
    private func firstLine(of name: String) -> [UInt8] {
        do throws(StoreError) {
            let start = try contents(of: name, upTo: Limits.headerBytesMax)
            return Array(start.prefix((start.firstIndex(of: 0x0A) ?? start.count - 1) + 1))
        } catch {
            return []
        }
    }

    /// The header according to the manifest, or the one at the start of the file; nil if it is lost, which is reported.
    mutating func header(
        of name: String,
        _ known: FileHeader?,
        _ make: (SealedLine) -> FileHeader? = { _ in nil }
    ) -> FileHeader? {
        let line = firstLine(of: name)
        if let known {
            if !line.isEmpty, line != known.bytes {
                report.losses.append("\(name): the header is damaged; it is reconstructed from \(Manifest.fileName)")
            }
            return known
        }
        do throws(StoreError) {
            return make(try SealedLine(parsing: line, file: name))
        } catch {
            if !line.isEmpty { report.losses.append("\(name): the header is lost") }
            return nil
        }
    }

    // MARK: The journal

    private mutating func readJournal(_ name: String, _ manifest: Manifest?) throws(StoreError) {
        let bytes = contents(of: name)
        let known = manifest.map { FileHeader.journal(of: $0) }
        let header = header(of: name, known) { line in FileHeader.journal(line) }
        // Without the header, the first line cannot be verified, but the lines after it can.
        let written = bytes.prefix { $0 != 0x0A }.withUnsafeBytes { JournalLine.checkWritten(in: $0) }
        var chain = [header?.check, written].compactMap { $0 }.prefix(1).map { Link(check: $0) }
        if header == nil { chain.append(Link(check: nil)) }
        for (offset, line) in Lines(Array(JournalRoom.torn(bytes[...])), behind: header) {
            chain = line.withUnsafeBytes { take($0, behind: chain, Place(file: name, offset: offset)) }
        }
    }

    /// A candidate for the checksum from which a line's checksum continues.
    private struct Link {
        /// Nil if no checksum is known.
        let check: UInt32?
        /// The line before, which looked damaged. If this candidate is right, only its own checksum is wrong.
        var doubted: (line: ArraySlice<UInt8>, place: Place)?
    }

    private struct Place: CustomStringConvertible {
        let file: String
        let offset: Int

        var description: String { "\(file) at byte \(offset)" }
    }

    /// Takes a line of the journal if it is valid.
    ///
    /// - Returns: the candidates for the next line, the most likely one first.
    private mutating func take(_ line: UnsafeRawBufferPointer, behind chain: [Link], _ place: Place) -> [Link] {
        var writes: [JournalLine.Write] = []
        for link in chain {
            do throws(LineFault) {
                let parsed = try JournalLine(parsing: line, after: link.check, fits: fits, writes: &writes)
                if let (line, place) = link.doubted { restoreLostLine(line, place, check: link.check) }
                if link.check == nil {
                    report.losses.append(
                        "\(place): a line is used that cannot be verified, because the line before it is lost"
                    )
                }
                apply(writes, of: line)
                guard !parsed.isEndWhole else { return [Link(check: parsed.check)] }
                report.losses.append("\(place): \(Self.damagedEnd)")
                // If a line feed is missing, the next line continues from the checksum at the end of this one.
                let last = JournalLine.checkWritten(in: line).flatMap { $0 == parsed.check ? nil : Link(check: $0) }
                return [Link(check: parsed.check)] + [last].compactMap { $0 }
            } catch {
                continue
            }
        }
        report.losses.append("\(place): a line is lost\(Self.keys(of: line))")
        var next: [Link] = []
        if let written = JournalLine.checkWritten(in: line) { next.append(Link(check: written)) }
        for check in chain.compactMap(\.check) {
            guard let computed = JournalLine.checkComputed(of: line, after: check) else { continue }
            next.append(Link(check: computed, doubted: (ArraySlice(line), place)))
        }
        return next + [Link(check: nil)]
    }

    /// Takes the last line that was reported as lost: the next line has shown that only its checksum is wrong.
    private mutating func restoreLostLine(_ line: ArraySlice<UInt8>, _ place: Place, check: UInt32?) {
        report.losses.removeLast()
        line.withUnsafeBytes { line in
            var writes: [JournalLine.Write] = []
            do throws(LineFault) {
                let parsed = try JournalLine(parsing: line, after: nil, known: check, fits: fits, writes: &writes)
                if !parsed.isEndWhole { report.losses.append("\(place): \(Self.damagedEnd)") }
                apply(writes, of: line)
            } catch {
                report.losses.append("\(place): a line is lost\(Self.keys(of: line))")
            }
        }
    }

    private static let damagedEnd = "the end of a line is damaged; what can be read of it is used"

    /// Whether a value is a record with a key.
    private func fits(_ key: StoreKey, _ value: UnsafeRawBufferPointer) -> Bool {
        guard let type = types.first(where: { $0.collection == key.pieces?.collection }) else { return false }
        do throws(JSONError) {
            return try type.entry(of: value).place?.key == key
        } catch {
            return false
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

    /// The keys that a damaged line seems to have written, for the report.
    private static func keys(of line: UnsafeRawBufferPointer) -> String {
        do throws(JSONError) {
            let value = try JSONValue(parsing: line)
            let keys = (value["w"]?.array ?? []).compactMap { $0.array?.first?.string }
            return keys.isEmpty ? "" : ", with writes to \(keys.joined(separator: ", "))"
        } catch {
            return ""
        }
    }

    // MARK: Records

    /// Builds a new store from the records.
    private mutating func rebuild() throws(StoreError) -> StoreBuilder {
        for key in unreadable.sorted() { report.losses.append("\(key.text) is lost: its value is damaged or erased") }
        var builder = StoreBuilder(types)
        var findings: [(key: StoreKey, RecordFindings)] = []
        try space.forEach { key, value throws(StoreError) in
            guard let pieces = key.pieces, pieces.index == StoreKey.recordIndex else { return }
            do throws(StoreBuilder.Refusal) {
                if pieces.collection == StoreKey.counters {
                    guard let number = Int(String(decoding: value.bytes, as: UTF8.self)) else {
                        throw StoreBuilder.Refusal(reason: "the counter is not a whole number")
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
        // Records with faults are saved too: a person can export the store, correct the records and import them.
        for (key, findings) in findings {
            var faults = findings.faults.map(\.description)
            for reference in findings.references {
                let record = try builder.space.value(of: reference.key)?.bytes
                if let fault = reference.fault(in: record, keysWithSubstitute: builder.keysWithSubstitute) {
                    faults.append(fault)
                }
            }
            for key in findings.keysWithSubstitute where try builder.space.value(of: key) != nil {
                faults.append(RecordFindings.Reference.present(key.text))
            }
            for fault in faults { report.losses.append("\(key.text) is saved, but breaks a rule: \(fault)") }
        }
        for (name, least) in builder.countersBehind {
            report.losses.append("the counter \(name) was lost or too low; it continues after \(least)")
        }
        builder.mendCounters()
        builder.setCounts()
        return builder
    }
}
