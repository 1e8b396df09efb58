import JSON

/// A property in an object of params that the method does not have.
struct UnknownProperty {
    /// Where it is: `user.emial`.
    let path: String
    /// The known property, by its path, that it most likely stands for; nil where none is near.
    let nearest: String?

    /// The first one in an object of params; nil where all are known.
    ///
    /// - Parameters:
    ///   - object: the bytes of a JSON object.
    ///   - known: the properties that it may have.
    init?(in object: UnsafeRawBufferPointer, known: [Property]) throws(JSONError) {
        var reader = JSONReader(object)
        guard let found = try Self.first(reading: &reader, known: known, path: "") else { return nil }
        self = found
    }

    private init(_ name: String, path: String, known: [Property]) {
        self.path = path + name
        self.nearest = NearestName.of(name, among: known.map(\.name)).map { path + $0 }
    }

    private static func first(
        reading reader: inout JSONReader,
        known: [Property],
        path: String
    ) throws(JSONError) -> UnknownProperty? {
        try reader.beginObject()
        while let member = try reader.nextMember() {
            let name = member.string
            guard let property = known.first(where: { $0.name == name }) else {
                return UnknownProperty(name, path: path, known: known)
            }
            if !property.properties.isEmpty, try reader.kind() == .object {
                let inner = try first(reading: &reader, known: property.properties, path: "\(path)\(name).")
                if let inner { return inner }
            } else {
                try reader.skip()
            }
        }
        return nil
    }
}
