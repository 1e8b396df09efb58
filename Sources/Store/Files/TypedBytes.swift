extension [UInt8] {
    /// `withUnsafeBytes` for a body whose error type is kept.
    func withUnsafeBytesTyped<Value>(
        _ body: (UnsafeRawBufferPointer) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try withUnsafeBufferPointer { buffer -> Result<Value, StoreError> in
            do throws(StoreError) {
                return .success(try body(UnsafeRawBufferPointer(buffer)))
            } catch {
                return .failure(error)
            }
        }.get()
    }
}
