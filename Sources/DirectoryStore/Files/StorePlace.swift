internal import Platform
import Store

/// The place of a new store: a directory and a name in it.
struct StorePlace {
    let parent: SystemString
    let name: SystemString
    private let path: SystemString
    private let calls: any SystemCalls

    /// - Parameter shown: the path for errors, if it is another one.
    init(_ path: SystemString, for shown: SystemString? = nil, _ calls: any SystemCalls) {
        self.calls = calls
        // `TO/` is the same as `TO`.
        var bytes = path.bytes
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
        let start = slash.map { $0 + 1 } ?? 0
        name = bytes.last == UInt8(ascii: "/") ? "." : SystemString(bytes: bytes[start...])
        parent = slash.map { $0 == 0 ? "/" : SystemString(bytes: bytes[..<$0]) } ?? "."
        self.path = shown ?? path
    }

    /// Throws if the place is taken, before any work is done.
    ///
    /// - Throws: `StoreError.exists` if the path is taken and is not an empty directory (a link is not followed);
    ///   `.unnamed` if nothing can be renamed to the path; `.withinStore` if the path is in the directory of a store.
    func check() throws(StoreError) {
        guard ![".", "..", ""].contains(name) else { throw .unnamed("\(path)") }
        try checkSurroundings()
        let directory: Directory
        do throws(StoreError) {
            directory = try Directory(parent, makes: false, calls: calls)
        } catch  where error.isMissingFile {
            return
        }
        let descriptor: FileDescriptor
        do throws(SystemError) {
            descriptor = try calls.open(name, in: directory.descriptor, .reading | .directory | .notFollowingLinks)
        } catch {
            switch error {
            case .noSuchFile: return
            case .notDirectory, .tooManySymbolicLinks: throw .exists("\(path)")
            default: throw directory.failure(of: "open", "\(name)", error)
            }
        }
        let found = Directory(adopting: descriptor, path: path, calls: calls)
        guard try found.names().isEmpty else { throw .exists("\(path)") }
    }

    /// Throws if the place is in the directory of another store, even if directories between them do not exist yet.
    ///
    /// - Throws: `StoreError.withinStore`.
    func checkSurroundings() throws(StoreError) {
        do throws(StoreError) {
            let directory = try Directory(parent, makes: false, calls: calls)
            // This does not look for a manifest, because other programs use that name too.
            if try directory.names().contains(where: { StoreFiles.epoch(of: $0) != nil }) {
                throw StoreError.withinStore("\(path)")
            }
        } catch  where error.isMissingFile {
            guard !["", "."].contains(name) else { return }
            try StorePlace(parent, for: path, calls).checkSurroundings()
        }
    }
}
