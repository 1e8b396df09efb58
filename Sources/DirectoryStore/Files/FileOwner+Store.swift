internal import Platform
import Store

extension FileOwner {
    /// Who files that are made in a directory belong to: the owner of the store that is there; else the owner of the
    /// directory, where this process is privileged; else its own user, as in a volume that a group may write to.
    ///
    /// All processes of one user share a store, and a privileged user who works on it must not shut them out.
    static func ofFiles(in directory: FileDescriptor, _ calls: any SystemCalls) -> FileOwner {
        do throws(SystemError) {
            return try calls.status(of: SystemString(Manifest.fileName), in: directory).owner
        } catch {
            guard CurrentProcess.isPrivileged else { return .current }
            do throws(SystemError) {
                return try calls.status(of: directory).owner
            } catch {
                return .current
            }
        }
    }
}
