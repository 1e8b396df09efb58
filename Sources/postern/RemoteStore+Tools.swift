import DirectoryStore
import Accounts
import Platform
import Store

/// The commands that process a whole store.
extension RemoteStore {
    /// Passes one state of the store to `body`, in which all events that were committed before have their numbers.
    func export(_ options: Options, _ body: (any EntrySource) throws -> Void) throws {
        let store = Store(engine: makeEngine())
        defer { store.close() }
        try AuditTrail.numberEvents(in: store, options.auditBounds)
        try readAll(body)
    }

    /// Checks every record, as an import does, and compares the store with the entries that the import would make.
    ///
    /// - Returns: the faults, as sentences without the full stop, and the number of entries.
    func check(progress: (ToolProgress) -> Void) throws -> (faults: [String], hasMore: Bool, entries: Int) {
        var (faults, count) = ([String](), 0)
        func report(_ fault: String) {
            count += 1
            if faults.count < Self.faultsMax { faults.append(fault) }
        }
        let entries = try compare(
            { source, destination in
                let incoming = try StoreImport(to: { destination })
                var lines = 0
                try StoreExport.write(source) { line in
                    try incoming.take(line[...])
                    lines += 1
                    if lines % Self.linesBetweenUpdates == 0 {
                        progress(ToolProgress(phase: "reading", done: lines, total: nil))
                    }
                }
                _ = try incoming.finish(progress: progress)
                for fault in incoming.faults {
                    report(fault.line.map { "line \($0) of postern export: \(fault.reason)" } ?? fault.reason)
                }
            },
            report
        )
        return (faults, count > faults.count, entries)
    }

    private static let faultsMax = 100
    private static let linesBetweenUpdates = 1_000
}

extension StoreImport {
    /// An import into a destination that has no directory.
    convenience init(to makeDestination: @escaping () throws(StoreError) -> any ImportDestination) throws(StoreError) {
        let folder = ProcessEnvironment.value(of: "TMPDIR") ?? "/tmp"
        let scratch = folder.appending("postern-import-\(UUIDText.random())")
        try self.init(RecordTypes.all, scratch: scratch, makeDestination: makeDestination)
    }
}
