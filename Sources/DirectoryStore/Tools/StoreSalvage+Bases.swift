import Store

/// Reading the bases of a damaged store.
extension StoreSalvage {
    /// A base to read.
    struct SavedBase {
        let name: String
        let bytes: [UInt8]
        /// Nil if it is lost.
        let header: FileHeader?
        /// The length according to the manifest, if there is one.
        let length: Int
    }

    /// The bases of an epoch, the newest first. Without a manifest, the header of a base names the one below it.
    mutating func bases(
        of epoch: Int,
        _ manifest: Manifest?,
        among names: [String]
    ) throws(StoreError) -> [SavedBase] {
        var bases: [SavedBase] = []
        if let manifest {
            for (index, segment) in manifest.segments.enumerated() {
                let bytes = contents(of: segment.file)
                let header = header(of: segment.file, bytes, FileHeader.base(index, of: manifest))
                bases.append(SavedBase(name: segment.file, bytes: bytes, header: header, length: segment.bytes))
            }
            return bases
        }
        var next: String? = Manifest.baseName(of: epoch)
        while let name = next, names.contains(name), !bases.contains(where: { $0.name == name }) {
            let bytes = contents(of: name)
            let header = header(of: name, bytes, nil) { line in FileHeader.base(line) }
            bases.append(SavedBase(name: name, bytes: bytes, header: header, length: bytes.count))
            next = header?.below
        }
        if let next, !bases.isEmpty { report.losses.append("\(next) is missing") }
        return bases
    }

    mutating func readBase(_ base: SavedBase) {
        let (name, bytes, end) = (base.name, base.bytes, base.length)
        guard let header = base.header else { return }
        if end != bytes.count { report.losses.append("\(name) has \(bytes.count) bytes instead of \(end)") }
        BaseSalvage(bytes, header, length: end).forEach { finding in
            switch finding {
            case .entry(let key, let value):
                let value = StoredValue(bytes: value)
                space.set(value.isRemoval ? nil : value, at: key)
            case .lost(let offset, let key):
                let key = key.map { ", with the key \($0)" } ?? ""
                report.losses.append("\(name) at byte \(offset): a line is lost\(key)")
            case .moved(let offset, let bytes):
                let what = bytes > 0 ? "\(bytes) bytes were inserted" : "\(-bytes) bytes were removed"
                report.losses.append("\(name) at byte \(offset): \(what) before it; the lines after it are used")
            }
        }
    }
}
