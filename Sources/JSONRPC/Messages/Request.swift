package import JSON

/// One request: what a handler is asked to do. It is valid while the chunk that it was read from is.
package struct Request {
    /// The method's name.
    package let method: JSONText
    /// The bytes of the params, an object or an array; nil if they are absent or null.
    package let params: UnsafeRawBufferPointer?
    /// The bytes of the id; nil for a notification, which gets no reply.
    let id: UnsafeRawBufferPointer?
}
