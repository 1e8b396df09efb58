internal import JSON
package import Platform
package import Store

/// Makes a store from the lines of an export, in bounded memory.
///
/// Lines may come in any order. Each line becomes entries of the store, which are sorted on the disk. Faults that
/// depend on several lines, such as two accounts with one address or a session without its account, are found while the
/// sorted entries are written.
package final class StoreImport {
    /// A fault of a line. Lines are counted from 1; the line is nil if the fault concerns the whole export.
    package struct Fault: Error, Equatable {
        /// The line's number.
        package let line: Int?
        /// The property and the rule that it breaks, without the full stop.
        package let reason: String
    }

    private let types: [String: RecordType]
    private let counterNames: Set<String>
    private let makeDestination: () throws(StoreError) -> any ImportDestination
    /// Drops what a failed import leaves.
    private let discard: () -> Void
    private let sorter: EntrySorter
    private let values = ValueWriter()
    private var counters = CounterBounds()
    private var line = 0
    private var hasEnded = false
    /// The first faults, at most `Limits.faultsReportedMax`.
    package private(set) var faults: [Fault] = []
    /// The number of all faults.
    package private(set) var faultCount = 0
    /// The number of records read.
    package private(set) var records = 0
    /// The collections of which a record was read.
    private var collections: Set<String> = []

    /// - Parameters:
    ///   - types: all record types that a store may hold.
    ///   - path: the path of the new store. It must be unused or an empty directory.
    /// - Throws: `StoreError.exists`, `.unnamed`, `.withinStore`, `.diskFull`, `.systemCall`.
    package convenience init(
        _ types: [RecordType],
        to path: SystemString,
        settings: StoreSettings = StoreSettings()
    ) throws(StoreError) {
        let draft = try StoreDraft(for: path, calls: settings.calls)
        try self.init(types, scratch: draft.scratchFile(), discard: draft.discard) { () throws(StoreError) in
            try ImportOutput(draft)
        }
    }

    /// An import into a store of another engine.
    ///
    /// - Parameters:
    ///   - scratch: an unused path, at which entries are sorted that do not fit into memory.
    ///   - makeDestination: called if no line has a fault.
    package convenience init(
        _ types: [RecordType],
        scratch: SystemString,
        makeDestination: @escaping () throws(StoreError) -> any ImportDestination
    ) throws(StoreError) {
        let draft = try StoreDraft(for: scratch, calls: .real)
        try self.init(types, scratch: draft.scratchFile(), discard: draft.discard, makeDestination)
    }

    private init(
        _ types: [RecordType],
        scratch: File,
        discard: @escaping () -> Void,
        _ makeDestination: @escaping () throws(StoreError) -> any ImportDestination
    ) throws(StoreError) {
        self.types = Dictionary(uniqueKeysWithValues: types.map { ($0.collection, $0) })
        counterNames = Set(types.flatMap(\.counters))
        sorter = EntrySorter(spillingTo: scratch)
        (self.discard, self.makeDestination) = (discard, makeDestination)
    }

    /// Reads the next line, with or without its line feed. Faults of the line are added to `faults`.
    ///
    /// - Throws: `StoreError.diskFull`, `.systemCall`.
    package func take(_ bytes: ArraySlice<UInt8>) throws(StoreError) {
        line += 1
        let isMarked = line == 1 && bytes.starts(with: [0xEF, 0xBB, 0xBF])
        let result = bytes.dropFirst(isMarked ? 3 : 0).withUnsafeBytes { bytes in
            Result { () throws(StoreError) in try take(bytes) }
        }
        try result.get()
    }

    /// Reports a line that is longer than `Limits.exportLineBytesMax`. No line of an export is that long.
    package func refuseLongLine() {
        line += 1
        refuse("longer than \(Limits.exportLineBytesMax) bytes")
    }

    /// Adds a record unless the export has one of its type.
    ///
    /// - Throws: `StoreError.diskFull`, `.systemCall`.
    package func addIfAbsent<R: Record>(_ record: R) throws(StoreError) {
        guard !collections.contains(R.collection.name) else { return }
        var writer = JSONWriter()
        record.write(to: &writer)
        let result = writer.withUnsafeBytes { bytes in
            Result { () throws(StoreError) in try take(bytes, of: R.collection.name) }
        }
        records -= 1
        try result.get()
    }

    /// Writes the store if there are no faults.
    ///
    /// - Returns: whether the store was written. If not, `faults` has the reasons, and nothing is at the path.
    /// - Throws: `StoreError`. Nothing is at the path then, unless the error says that the store is there.
    package func finish(progress: (ToolProgress) -> Void) throws(StoreError) -> Bool {
        defer { discard() }
        if !hasEnded {
            add(Fault(line: nil, reason: #"the last line, {"end":true}, is missing: the export is incomplete"#))
        }
        for (name, least) in counters.behind {
            let reason = "the counter \(name) must be at least \(least), the greatest number among its records"
            add(Fault(line: nil, reason: reason))
        }
        let output = faultCount == 0 ? try makeDestination() : nil
        defer { output?.discard() }
        try merge(to: output, progress)
        guard faultCount == 0, let output else { return false }
        try output.finish()
        return true
    }

    // MARK: Lines

    private func take(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        let line: ImportLine
        do throws(ImportLine.Fault) {
            line = try ImportLine(bytes)
        } catch {
            return refuse(error.reason)
        }
        if case .blank = line { return }
        if hasEnded { return refuse("after the last line") }
        switch line {
        case .blank: break
        case .end: hasEnded = true
        case .about(let form):
            if form != StoreExport.form { refuse("this export was made by a newer version of the program") }
        case .counter(let name, let value): try take(counter: name, value)
        case .record(let collection, let record): try take(record, of: collection)
        }
    }

    private func take(counter name: String, _ value: Int?) throws(StoreError) {
        guard let value, CounterBounds.values.contains(value) else {
            return refuse("a counter has a whole number from 0 to \(CounterBounds.values.upperBound - 1) for its value")
        }
        guard counterNames.contains(name) else { return refuse("there is no counter \(name.shortened)") }
        guard counters.set(name, to: value) else { return refuse("the counter \(name) is set twice") }
        try sorter.add(.entry, StoreKey.counter(name).bytes, StoredValue(number: value).bytes, line: line)
    }

    private func take(_ record: UnsafeRawBufferPointer, of collection: String) throws(StoreError) {
        records += 1
        collections.insert(collection)
        guard let type = types[collection] else { return refuse("there is no collection \(collection.shortened)") }
        let entry: RecordType.Entry
        do throws(JSONError) {
            entry = try type.entry(of: record, writer: values)
        } catch {
            return refuse("this is not a record of \(collection): \(error.recordFault)")
        }
        for fault in entry.findings.faults { refuse("\(collection): \(fault)") }
        if let name = StrangeProperty.name(in: record, but: entry.value) {
            refuse("\(collection): the property \(name) is unknown or occurs twice")
        }
        guard entry.value.count <= Limits.valueBytesMax else {
            return refuse("\(collection): a record has at most \(Limits.valueBytesMax) bytes")
        }
        guard let place = entry.place else { return }
        if let key = place.longKey {
            return refuse("\(collection): the key \(key.text.shortened) is longer than \(Limits.keyBytesMax) bytes")
        }
        counters.note(place.numbers)
        try sorter.add(type.isErasable ? .erasable : .entry, place.key.bytes, entry.value, line: line)
        for key in place.indexKeys { try sorter.add(.entry, key.bytes, place.indexValue, line: line) }
        for key in place.countKeys { try sorter.add(.tally, key.bytes, [], line: line) }
        for key in entry.findings.keysWithSubstitute { try sorter.add(.substitute, key.bytes, [], line: line) }
        for reference in entry.findings.references {
            try sorter.add(.reference, reference.key.bytes, PackedReference.bytes(of: reference), line: line)
        }
    }

    // MARK: Sorted entries

    private func merge(to output: (any ImportDestination)?, _ progress: (ToolProgress) -> Void) throws(StoreError) {
        var last = LastEntry()
        var count = 0
        try sorter.merge { entry throws(StoreError) in
            count += 1
            if count % Limits.compactionEntriesBetweenChecks == 0 {
                progress(ToolProgress(phase: "writing", done: count, total: sorter.count))
            }
            let isSame = last.hasKey(of: entry)
            if !isSame { try writeTally(of: last, to: output) }
            switch entry.kind {
            case .reference:
                let reference = PackedReference(entry.value)
                let fault = isSame ? reference.fault(in: &last) : reference.missing(Self.text(entry.key))
                if let fault { add(Fault(line: entry.line, reason: fault)) }
            case .substitute:
                if isSame, last.kind != .substitute {
                    let reason = RecordFindings.Reference.present(Self.text(entry.key))
                    add(Fault(line: entry.line, reason: reason))
                } else if !isSame {
                    last.replace(by: entry)
                }
            case .tally:
                if isSame { last.tally += 1 } else { last.replace(by: entry) }
            case .entry, .erasable:
                guard !isSame else {
                    let reason = "\(Self.text(entry.key)) already belongs to the record of line \(last.line)"
                    return add(Fault(line: entry.line, reason: reason))
                }
                last.replace(by: entry)
                // A fault found here discards the output.
                if let output, faultCount == 0 {
                    try output.append(last.key, last.value, isErasable: entry.kind == .erasable)
                }
            }
        }
        try writeTally(of: last, to: output)
    }

    /// Writes a count after the last entry that it counts.
    private func writeTally(of last: LastEntry, to output: (any ImportDestination)?) throws(StoreError) {
        guard last.kind == .tally, let output, faultCount == 0 else { return }
        try output.append(last.key, StoredValue(number: last.tally).bytes, isErasable: false)
    }

    private static func text(_ key: UnsafeRawBufferPointer) -> String { String(decoding: key, as: UTF8.self) }

    private func refuse(_ reason: String) {
        add(Fault(line: line, reason: reason))
    }

    private func add(_ fault: Fault) {
        faultCount += 1
        if faults.count < Limits.faultsReportedMax { faults.append(fault) }
    }
}

/// The entry that was visited last in key order.
struct LastEntry {
    private(set) var key: [UInt8] = []
    private(set) var value: [UInt8] = []
    private(set) var line = 0
    private(set) var kind = EntrySorter.Kind.entry
    /// The number of tallies of the key, if the entry is a tally.
    var tally = 1
    /// The numbers of the record that were looked up.
    private var numbers: [String: Int?] = [:]

    func hasKey(of entry: EntrySorter.Entry) -> Bool {
        key.withUnsafeBytes { $0.hasBytes(of: entry.key) }
    }

    mutating func replace(by entry: EntrySorter.Entry) {
        key.removeAll(keepingCapacity: true)
        key.append(contentsOf: entry.key)
        value.removeAll(keepingCapacity: true)
        value.append(contentsOf: entry.value)
        line = entry.line
        (kind, tally) = (entry.kind, 1)
        if !numbers.isEmpty { numbers.removeAll() }
    }

    /// A number in the record.
    mutating func number(_ name: String) -> Int? {
        if let known = numbers[name] { return known }
        let number = RecordType.number(name, of: value)
        numbers[name] = number
        return number
    }
}

extension JSONError {
    /// Why a record cannot be read.
    var recordFault: String {
        let reason = reason == .typeMismatch ? "a property is missing or has the wrong type" : explanation
        return "\(reason), at byte \(offset) of the record"
    }
}
