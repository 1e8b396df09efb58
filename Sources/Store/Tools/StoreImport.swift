internal import JSON

/// Makes a store from the lines of an export.
package struct StoreImport {
    /// What is wrong with a line, counted from 1; nil for what no line can be blamed for.
    package struct Fault: Error, Equatable {
        /// Which line.
        package let line: Int?
        /// What is wrong with it, without the full stop.
        package let reason: String
    }

    private var builder: StoreBuilder
    private var line = 0
    private var hasEnded = false
    /// What was wrong so far.
    package private(set) var faults: [Fault] = []
    /// How many records were taken.
    package private(set) var records = 0

    /// - Parameter types: all types of records that a store may hold.
    package init(_ types: [RecordType]) {
        builder = StoreBuilder(types)
    }

    /// Takes the next line, with or without its line feed.
    package mutating func take(_ bytes: ArraySlice<UInt8>) {
        line += 1
        var bytes = bytes
        if line == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        if bytes.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) { return }
        do throws(StoreBuilder.Refusal) {
            try take(try Self.parse(bytes))
        } catch {
            faults.append(Fault(line: line, reason: error.reason))
        }
    }

    /// Writes the store, where nothing was wrong.
    ///
    /// - Parameter path: where it goes; there must be nothing there, or an empty directory.
    /// - Throws: `StoreError`; nothing is there then.
    package mutating func write(
        to path: String,
        settings: StoreSettings = StoreSettings(),
        progress: (Progress) -> Void
    ) throws(StoreError) {
        precondition(faults.isEmpty, "an import writes all or nothing")
        try StoreWriter(path: path, calls: settings.calls)
            .write(builder.space, erasable: builder.erasable, transactions: 0, progress: progress)
    }

    /// Looks at what only shows when all lines were taken.
    package mutating func finish() {
        if !hasEnded {
            faults.append(
                Fault(line: nil, reason: #"the last line, {"end":true}, is missing: what there is was cut short"#)
            )
        }
        for (name, least) in builder.countersBehind {
            let reason = "the counter \(name) must be at least \(least), the greatest number among its records"
            faults.append(Fault(line: nil, reason: reason))
        }
    }

    private mutating func take(_ value: JSONValue) throws(StoreBuilder.Refusal) {
        if hasEnded { throw StoreBuilder.Refusal(reason: "behind the last line") }
        if value["end"]?.bool == true {
            hasEnded = true
        } else if let form = value["export"] {
            guard form.int == StoreExport.form else {
                throw StoreBuilder.Refusal(reason: "this export was made by a newer version of the program")
            }
        } else if let name = value["counter"]?.string {
            guard let number = value["value"]?.int, number >= 0 else {
                throw StoreBuilder.Refusal(reason: "a counter has a whole number for its value")
            }
            try builder.setCounter(name, to: number)
        } else if let collection = value["collection"]?.string, let record = value["record"] {
            let key = try builder.add(record.bytes, to: collection)
            try checkMembers(of: record, at: key)
            records += 1
        } else {
            throw StoreBuilder.Refusal(reason: "neither a counter with its value nor a record with its collection")
        }
    }

    /// Refuses members that the record does not have: a slip of the pen would be lost without a word.
    private func checkMembers(of given: JSONValue, at key: StoreKey) throws(StoreBuilder.Refusal) {
        let taken: JSONValue
        do {
            taken = try JSONValue(parsing: try builder.space.value(of: key)?.bytes ?? [])
        } catch {
            throw StoreBuilder.Refusal(reason: "\(error)")
        }
        if let name = Self.strangeMember(of: given, in: taken) {
            throw StoreBuilder.Refusal(reason: "the member \(name) is unknown, or there twice")
        }
    }

    /// The path of a member that `given` has and `taken` has not, or that it has twice.
    private static func strangeMember(of given: JSONValue, in taken: JSONValue) -> String? {
        if let members = given.object {
            var names: Set<String> = []
            for member in members {
                guard names.insert(member.name).inserted else { return member.name }
                guard let value = taken[member.name] else {
                    if member.value == .null { continue }
                    return member.name
                }
                if let name = strangeMember(of: member.value, in: value) { return "\(member.name).\(name)" }
            }
        }
        for (given, taken) in zip(given.array ?? [], taken.array ?? []) {
            if let name = strangeMember(of: given, in: taken) { return name }
        }
        return nil
    }

    private static func parse(_ bytes: ArraySlice<UInt8>) throws(StoreBuilder.Refusal) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: bytes)
        } catch {
            throw StoreBuilder.Refusal(reason: "not JSON: \(error.reason.rawValue) at byte \(error.offset)")
        }
    }
}

extension JSONValue {
    fileprivate var bytes: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.take()
    }
}
