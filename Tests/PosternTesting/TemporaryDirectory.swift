package import Foundation

/// A directory that is removed with this object.
package final class TemporaryDirectory {
    package let path: String

    package init() {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("postern-\(UUID().uuidString)").path
        mkdir(path, 0o755)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of a file in the directory.
    package func path(_ name: String) -> String { "\(path)/\(name)" }

    /// The contents of all its files, one after another.
    package var contents: Data {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return names.sorted().reduce(into: Data()) {
            $0.append(FileManager.default.contents(atPath: path($1)) ?? Data())
        }
    }
}
