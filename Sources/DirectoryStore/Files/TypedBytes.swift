import Store

extension [UInt8] {
    /// `withUnsafeBytes` that keeps the error type of its body.
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
