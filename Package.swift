// swift-tools-version: 6.2
import PackageDescription

/// The Swift settings of every target: `any` is written for existential types, imports are internal by default, and a
/// member of a module is only visible in files that import the module.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "postern",
    products: [
        .executable(name: "postern", targets: ["postern"]),
        .library(name: "PosternClient", targets: ["PosternClient"]),
    ],
    traits: [
        .trait(name: "Postgres", description: "Stores in PostgreSQL. It needs libpq, which is linked dynamically.")
    ],
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),

        .target(
            name: "CLibrary",
            dependencies: [.target(name: "CLinux", condition: .when(platforms: [.linux]))],
            swiftSettings: settings
        ),
        .target(name: "Platform", dependencies: ["CLibrary"], swiftSettings: settings),
        .target(name: "JSON", dependencies: ["Platform"], swiftSettings: settings),
        .target(name: "JSONRPC", dependencies: ["JSON", "Platform"], swiftSettings: settings),
        .target(name: "Store", dependencies: ["JSON", "Platform"], swiftSettings: settings),
        .target(name: "DirectoryStore", dependencies: ["JSON", "Platform", "Store"], swiftSettings: settings),
        .target(
            name: "PostgresStore",
            dependencies: [
                .target(name: "CPostgres", condition: .when(traits: ["Postgres"])),
                "JSON", "Platform", "Store",
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Accounts",
            dependencies: ["CCrypt", "CSodium", "JSON", "Platform", "Store"],
            swiftSettings: settings
        ),
        .target(
            name: "Mail",
            dependencies: ["Accounts", "CSodium", "JSON", "JSONRPC", "Service", "Store", "Platform"],
            resources: [.embedInCode("Templates")],
            swiftSettings: settings
        ),
        .target(
            name: "Service",
            dependencies: ["Accounts", "JSON", "JSONRPC", "Platform", "Store"],
            swiftSettings: settings
        ),
        .target(name: "ProgramSignIn", dependencies: ["Accounts", "JSON", "Platform"], swiftSettings: settings),
        .target(name: "Transcripts", dependencies: ["JSON"], swiftSettings: settings),
        .executableTarget(
            name: "postern",
            dependencies: [
                "Accounts", "DirectoryStore", "JSON", "JSONRPC", "Mail", "Platform", "ProgramSignIn", "Service",
                "Store", "Transcripts",
                .target(name: "PostgresStore", condition: .when(traits: ["Postgres"])),
            ],
            swiftSettings: settings
        ),
        .executableTarget(name: "PosternSchema", dependencies: ["JSON", "Platform"], swiftSettings: settings),

        .target(
            name: "PosternClient",
            dependencies: ["JSON", "Platform"],
            path: "clients/swift/Sources/PosternClient",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "PosternClientExample",
            dependencies: ["PosternClient"],
            path: "clients/swift/Example",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "PosternClientTrials",
            dependencies: ["JSON", "PosternClient", "PosternTranscripts", "Transcripts"],
            path: "clients/swift/Trials",
            swiftSettings: settings
        ),

        .testTarget(name: "TranscriptsTests", dependencies: ["JSON", "Transcripts"], swiftSettings: settings),
        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: settings),
        .testTarget(name: "PlatformTests", dependencies: ["CLibrary", "Platform"], swiftSettings: settings),
        .testTarget(
            name: "JSONRPCTests",
            dependencies: ["CLibrary", "JSON", "JSONRPC", "Platform"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DirectoryStoreTests",
            dependencies: [
                "CLibrary", "DirectoryStore", "JSON", "Platform", "PosternTesting", "Store",
                .target(name: "PostgresStore", condition: .when(traits: ["Postgres"])),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PostgresStoreTests",
            dependencies: [
                "JSON", "Platform", "PosternTesting", "PosternTranscripts", "PostgresStore", "Store", "Transcripts",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AccountsTests",
            dependencies: ["CLibrary", "DirectoryStore", "Accounts", "JSON", "Platform", "PosternTesting", "Store"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ServiceTests",
            dependencies: [
                "DirectoryStore", "Accounts", "JSON", "JSONRPC", "Mail", "Platform", "PosternTesting",
                "PosternTranscripts", "Service", "Store", "Transcripts",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MailTests",
            dependencies: [
                "DirectoryStore", "Accounts", "JSON", "JSONRPC", "Mail", "PosternTesting", "Store", "Platform",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ProgramSignInTests",
            dependencies: ["Accounts", "JSON", "ProgramSignIn"],
            swiftSettings: settings
        ),
        .target(
            name: "PosternTesting",
            dependencies: [
                "JSON", "Platform", "PosternTranscripts", "Store", "Transcripts", "postern",
                .target(name: "PostgresStore", condition: .when(traits: ["Postgres"])),
            ],
            path: "Tests/PosternTesting",
            swiftSettings: settings
        ),
        .target(
            name: "PosternTranscripts",
            dependencies: ["JSON", "Transcripts"],
            path: "Tests/PosternTranscripts",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Simulation",
            dependencies: ["CLibrary", "DirectoryStore", "JSON", "Platform", "Store"],
            path: "Tests/Simulation",
            exclude: ["README.md", "coverage.sh", "mutants.py", "salvage.py", "seeds.txt"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ContractTests",
            dependencies: [
                "Accounts", "JSON", "PosternSchema", "PosternTesting", "PosternTranscripts", "Transcripts",
            ],
            exclude: ["Resources"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["DirectoryStore", "Accounts", "JSON", "JSONRPC", "PosternTesting", "Store"],
            exclude: ["Resources"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PosternClientTests",
            dependencies: [
                "JSON", "PosternClient", "PosternClientExample", "PosternClientTrials", "PosternTesting",
                "PosternTranscripts", "Platform", "Transcripts",
            ],
            path: "clients/swift/Tests/PosternClientTests",
            exclude: ["Fakes"],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
