internal import Platform

/// Where a new store goes: a directory and a name in it.
struct StorePlace {
    let parent: SystemString
    let name: SystemString
    private let path: SystemString

    /// - Parameter shown: the path that errors name, where it is another.
    init(_ path: SystemString, for shown: SystemString? = nil) {
        // `TO/` is `TO`.
        var bytes = path.bytes
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
        let start = slash.map { $0 + 1 } ?? 0
        name = bytes.last == UInt8(ascii: "/") ? "." : SystemString(bytes: bytes[start...])
        parent = slash.map { $0 == 0 ? "/" : SystemString(bytes: bytes[..<$0]) } ?? "."
        self.path = shown ?? path
    }

    /// Refuses a place that holds something, before any work is done for it.
    ///
    /// - Throws: `StoreError.exists` for anything but an empty directory; a link is not followed. `StoreError.unnamed` for a
    ///   path that nothing can be renamed to, `StoreError.withinStore` for one in the directory of a store.
    func check() throws(StoreError) {
        guard ![".", "..", ""].contains(name) else { throw .unnamed("\(path)") }
        try checkSurroundings()
        let directory: Directory
        do throws(StoreError) {
            directory = try Directory(parent, makes: false)
        } catch  where error.isMissingFile {
            return
        }
        let descriptor: FileDescriptor
        do throws(SystemError) {
            descriptor = try directory.descriptor.open(name, [.reading, .directory, .notFollowingLinks])
        } catch {
            switch error {
            case .noSuchFile: return
            case .notDirectory, .tooManySymbolicLinks: throw .exists("\(path)")
            default: throw directory.failure(of: "open", "\(name)", error)
            }
        }
        let found = Directory(adopting: descriptor, path: path, calls: .real)
        guard try found.names().isEmpty else { throw .exists("\(path)") }
    }

    /// Refuses a place in the directory of another store, also where directories between them are yet to be made.
    ///
    /// - Throws: `StoreError.withinStore`.
    func checkSurroundings() throws(StoreError) {
        do throws(StoreError) {
            let directory = try Directory(parent, makes: false)
            // Not by the manifest, whose name other programs use too.
            if try directory.names().contains(where: { StoreFiles.epoch(of: $0) != nil }) {
                throw StoreError.withinStore("\(path)")
            }
        } catch  where error.isMissingFile {
            guard !["", "."].contains(name) else { return }
            try StorePlace(parent, for: path).checkSurroundings()
        }
    }
}
