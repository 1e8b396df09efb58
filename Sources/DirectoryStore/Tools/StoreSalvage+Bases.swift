import Store

/// Reading the bases of a damaged store.
extension StoreSalvage {
    /// A base to read.
    struct SavedBase {
        let name: String
        /// Nil if it is lost.
        let header: FileHeader?
        /// The length according to the manifest, if there is one.
        let length: Int?
    }

    /// The bases of an epoch, the newest first. Without a manifest, the header of a base names the one below it. If
    /// that header or the base itself is lost, the next older base follows.
    mutating func bases(of epoch: Int, _ manifest: Manifest?, among names: [String]) -> [SavedBase] {
        if let manifest {
            return manifest.segments.enumerated().map { index, segment in
                let header = header(of: segment.file, FileHeader.base(index, of: manifest))
                return SavedBase(name: segment.file, header: header, length: segment.bytes)
            }
        }
        var bases: [SavedBase] = []
        // An epoch without a base is the first one.
        var next = epoch > 1 || names.contains(Manifest.baseName(of: epoch)) ? epoch : nil
        while let number = next {
            let name = Manifest.baseName(of: number)
            let header: FileHeader?
            if names.contains(name) {
                header = self.header(of: name, nil) { line in FileHeader.base(line) }
                bases.append(SavedBase(name: name, header: header, length: nil))
            } else {
                header = nil
                report.losses.append("\(name) is missing")
            }
            let below = header.map { $0.below.flatMap(StoreFiles.epoch(of:)) } ?? Self.latestBase(before: number, names)
            next = below.flatMap { $0 < number ? $0 : nil }
        }
        return bases
    }

    private static func latestBase(before epoch: Int, _ names: [String]) -> Int? {
        names.compactMap { name in
            StoreFiles.epoch(of: name).flatMap { $0 < epoch && name == Manifest.baseName(of: $0) ? $0 : nil }
        }.max()
    }

    /// Reads a base. The older ones must be read before.
    mutating func readBase(_ base: SavedBase, hasOlder: Bool) {
        let name = base.name
        guard let header = base.header else {
            let older = hasOlder ? "; the values in older bases are used" : ""
            report.losses.append("\(name) is lost, because its lines cannot be verified without the header\(older)")
            return
        }
        let bytes = contents(of: name)
        let end = base.length ?? bytes.count
        if end != bytes.count { report.losses.append("\(name) has \(bytes.count) bytes instead of \(end)") }
        BaseSalvage(bytes, header, length: end).forEach { finding in
            switch finding {
            case .entry(let key, let value):
                let value = StoredValue(bytes: value)
                space.set(value.isRemoval ? nil : value, at: key)
            case .lost(let offset, let key):
                let what = key.map { ", with the key \($0)" } ?? ""
                let older = hasOlder ? olderValue(of: key) : ""
                report.losses.append("\(name) at byte \(offset): a line is lost\(what)\(older)")
            case .moved(let offset, let bytes):
                let what = bytes > 0 ? "\(bytes) bytes were inserted" : "\(-bytes) bytes were removed"
                report.losses.append("\(name) at byte \(offset): \(what) before it; the lines after it are used")
            }
        }
    }

    /// What the report says of the value in older bases of a key whose line is lost. The key itself may be damaged.
    private func olderValue(of key: String?) -> String {
        do throws(StoreError) {
            let value = try key.flatMap { key throws(StoreError) in
                try space.value(of: StoreKey(bytes: Array(key.utf8)))
            }
            return value != nil
                ? "; the value in an older base is used" : "; if an older base has a value of its key, that is used"
        } catch {
            preconditionFailure("the space has no base that can be damaged: \(error)")
        }
    }
}
