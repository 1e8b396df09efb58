package import JSON

/// One request: what a handler is asked to do. It is valid while the chunk that it was read from is.
package struct Request {
    /// The method's name.
    package let method: JSONText
    /// The bytes of the params, an object or an array; nil if they are absent or null.
    package var params: UnsafeRawBufferPointer? { paramsOrNone.bytesOrNil }
    /// The bytes of the id; nil for a notification, which gets no reply.
    var id: UnsafeRawBufferPointer? { idOrNone.bytesOrNil }

    // An optional buffer takes half as much memory again. A request is copied a few times, so that counts.
    private let paramsOrNone, idOrNone: UnsafeRawBufferPointer

    init(method: JSONText, params: UnsafeRawBufferPointer?, id: UnsafeRawBufferPointer?) {
        self.method = method
        paramsOrNone = params ?? .noBytes
        idOrNone = id ?? .noBytes
    }
}

extension UnsafeRawBufferPointer {
    /// The buffer in place of nil, as opposed to the bytes of a JSON value, which has at least one.
    static var noBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    /// The buffer; nil in place of `noBytes`.
    @inline(__always)
    var bytesOrNil: UnsafeRawBufferPointer? { isEmpty ? nil : self }
}
