internal import Platform
import Store

extension MappedPages {
    /// Memory of zeros, which takes none of the machine's until it is written to.
    static func zeros(byteCount: Int) throws(StoreError) -> MappedPages {
        do throws(SystemError) {
            return try MappedPages(zeros: byteCount)
        } catch {
            throw .failed("allocate", error)
        }
    }
}
