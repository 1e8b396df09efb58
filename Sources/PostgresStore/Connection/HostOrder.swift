internal import Synchronization

/// The order in which a process tries several hosts: the one that served last comes first, and after a try that failed, the
/// next one.
///
/// libpq tries them in the order of the address, one after the other. A first host that is gone, or whose processes are
/// stopped, takes seconds at each try. While a server fails over, these are seconds without service.
final class HostOrder: Sendable {
    /// The hosts and the number of the one to try first.
    private struct State {
        var hosts: HostList?
        var first = 0
    }

    private let state = Mutex(State())

    /// The key words of a connection that state the order; none before the hosts are known, and for one host.
    var parameters: [(name: String, value: String)] {
        state.withLock { $0.hosts?.parameters(startingWith: $0.first) ?? [] }
    }

    /// - Parameter hosts: those of the connection, in the order that was tried; nil if they are not known.
    func noteFailure(_ hosts: HostList?) {
        state.withLock { state in
            if state.hosts == nil { state.hosts = hosts }
            guard let count = state.hosts?.count else { return }
            state.first = (state.first + 1) % count
        }
    }

    /// - Parameters:
    ///   - hosts: those of the connection, in the order that was tried; nil if they are not known.
    ///   - host: the host that serves, and its port.
    func noteSuccess(_ hosts: HostList?, host: String, port: String) {
        state.withLock { state in
            if state.hosts == nil { state.hosts = hosts }
            state.first = state.hosts?.position(of: host, port: port) ?? state.first
        }
    }
}

/// The hosts of a connection to PostgreSQL: lists of libpq, whose elements at one position belong to one host.
struct HostList: Equatable, Sendable {
    /// The values of `host`, `hostaddr` and `port`. A list may be empty, and one port counts for all hosts.
    let names: [String]
    let addresses: [String]
    let ports: [String]

    /// - Returns: nil for fewer than two hosts.
    init?(names: String, addresses: String, ports: String) {
        (self.names, self.addresses, self.ports) = (Self.list(names), Self.list(addresses), Self.list(ports))
        guard count > 1 else { return nil }
    }

    /// How many hosts there are.
    var count: Int { max(names.count, addresses.count) }

    /// The key words with their values, from the host at a position on.
    func parameters(startingWith first: Int) -> [(name: String, value: String)] {
        [("host", names), ("hostaddr", addresses), ("port", ports)].compactMap { name, list in
            guard list.count == count else { return nil }
            return (name, (list[first...] + list[..<first]).joined(separator: ","))
        }
    }

    /// The position of the first host with a name, or with an address in place of a name, and a port.
    func position(of host: String, port: String) -> Int? {
        (0..<count).first { position in
            let isHost = [names, addresses].contains { position < $0.count && $0[position] == host }
            return isHost && (ports.count < count || ports[position] == port)
        }
    }

    private static func list(_ text: String) -> [String] {
        text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
    }
}
