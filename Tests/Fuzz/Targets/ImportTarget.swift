import CLibrary
@testable import Platform

@testable import Accounts
@testable import JSON
@testable import DirectoryStore
@testable import Store

/// Importing an edited export. The whole file is imported or nothing. The result is an intact store, and exporting
/// and importing it again changes nothing.
enum ImportTarget {
    static func run(_ input: [UInt8]) {
        guard let lines = imported(input, to: "import") else { return }
        let report = must {
            try StoreCheck.run(
                SystemString(Scratch.path + "/import"),
                types: RecordTypes.all,
                settings: .unsynced,
                progress: { _ in }
            )
        }
        hold(report.faults.isEmpty, "an import has faults: \(report.faults)")
        guard let again = imported(lines, to: "again") else { fail("the export of an import is refused") }
        hold(again == lines, "an export differs from the one it was imported from")
    }

    /// Imports lines into a directory. Returns the lines of its export; nil if the import is refused.
    private static func imported(_ input: [UInt8], to name: String) -> [UInt8]? {
        let path = Scratch.path + "/" + name
        remove(path)
        let importing = must { try StoreImport(RecordTypes.all, to: SystemString(path), settings: .unsynced) }
        let isWritten = must {
            for line in Edits.lines(of: input) { try importing.take(input[line]) }
            return try importing.finish(progress: { _ in })
        }
        guard isWritten else {
            hold(importing.faultCount > 0, "an import is refused without a fault")
            hold(access(path, F_OK) != 0, "a refused import left files")
            for fault in importing.faults {
                hold(fault.line.map { $0 > 0 } ?? true && !fault.reason.isEmpty, "an incomplete fault: \(fault)")
            }
            return nil
        }
        return must {
            let engine = try LocalEngine(directory: path, settings: .unsynced, log: { _ in })
            defer { engine.close() }
            var lines: [UInt8] = []
            try StoreExport.write(engine) { lines += $0 }
            return lines
        }
    }

    private static func remove(_ path: String) {
        guard let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { unlink("\(path)/\(name)") }
        }
        closedir(directory)
        rmdir(path)
    }
}
