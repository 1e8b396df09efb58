package import Store

extension Realm: ShortKeyComponent {
    package var keyBytesMax: Int { rawValue.keyBytesMax }

    /// The name needs no escapes.
    package func append(to key: inout KeyWriter) {
        var name = rawValue
        name.withUTF8 { key.append(UnsafeRawBufferPointer($0)) }
    }
}
