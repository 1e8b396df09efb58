import Platform

/// The simulated disk: a tree of directories and files.
final class Disk {
    private(set) var root: Node
    private var nextNumber: UInt = 2
    private var changes = 0
    /// The bytes that files may have in total; more need an error.
    var capacity = Int.max

    init() {
        root = Node(number: 1, isDirectory: true)
    }

    func makeNode(isDirectory: Bool, at time: Int) -> Node {
        defer { nextNumber += 1 }
        let node = Node(number: nextNumber, isDirectory: isDirectory)
        note(changeOf: node, at: time)
        return node
    }

    /// Sets the time of a file's last change.
    ///
    /// - Parameter time: the Unix time in microseconds.
    func note(changeOf node: Node, at time: Int) {
        changes += 1
        // No two changes have the same time, as on a clock of nanoseconds.
        node.changed = (time / 1_000_000, time % 1_000_000 * 1_000 + changes % 1_000)
    }

    /// The node at a path like `/store/lock`; nil if there is none.
    func node(at path: String) -> Node? {
        var node = root
        for name in path.split(separator: "/") where name != "." {
            guard let next = node.names[String(name)] else { return nil }
            node = next
        }
        return node
    }

    /// The bytes of all files that have a name.
    var usedBytes: Int { Self.usedBytes(of: root) }

    private static func usedBytes(of node: Node) -> Int {
        node.bytes.count + node.names.values.reduce(0) { $0 + usedBytes(of: $1) }
    }

    /// The disk after a power cut.
    ///
    /// - Parameter random: decides which of the changes that are not synced are kept.
    func afterPowerCut(_ random: Randomness) -> Disk {
        copy { node in (node.bytesAfterPowerCut(random), node.namesAfterPowerCut(random)) }
    }

    /// A disk with what processes see now, all of it synced.
    func synced() -> Disk {
        copy { node in (node.bytes, node.names) }
    }

    private func copy(_ contents: (Node) -> (bytes: [UInt8], names: [String: Node])) -> Disk {
        let disk = Disk()
        (disk.nextNumber, disk.changes) = (nextNumber, changes)
        var copies: [ObjectIdentifier: Node] = [:]
        func copy(_ node: Node) -> Node {
            if let known = copies[ObjectIdentifier(node)] { return known }
            let (bytes, names) = contents(node)
            let new = Node(number: node.number, isDirectory: node.isDirectory)
            new.changed = node.changed
            copies[ObjectIdentifier(node)] = new
            new.replace(with: bytes)
            for name in names.keys.sorted() {
                if let child = names[name] { new.set(name, copy(child)) }
            }
            new.syncNames()
            return new
        }
        disk.root = copy(root)
        return disk
    }

    /// The files of a directory, by their names.
    func files(in path: String) -> [(name: String, node: Node)] {
        (node(at: path)?.names ?? [:]).filter { !$0.value.isDirectory }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
