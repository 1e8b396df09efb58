package import Foundation

/// A directory that goes when the value does.
package final class TemporaryDirectory {
    package let path: String

    package init() {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("postern-\(UUID().uuidString)").path
        mkdir(path, 0o755)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of something in it.
    package func path(_ name: String) -> String { "\(path)/\(name)" }

    /// All that its files hold, one after another.
    package var contents: Data {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return names.sorted().reduce(into: Data()) {
            $0.append(FileManager.default.contents(atPath: path($1)) ?? Data())
        }
    }
}
