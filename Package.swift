// swift-tools-version: 6.2
import PackageDescription

/// The Swift settings of every target: `any` is written for existential types, imports are internal by default, and a
/// member of a module is only visible in files that import the module.
let commonSettings: [SwiftSetting] = [
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
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),

        .target(name: "Platform", dependencies: ["CLinux"], swiftSettings: commonSettings),
        .target(name: "JSON", dependencies: ["Platform"], swiftSettings: commonSettings),
        .target(name: "JSONRPC", dependencies: ["JSON", "Platform"], swiftSettings: commonSettings),
        .target(name: "Store", dependencies: ["CLinux", "JSON", "Platform"], swiftSettings: commonSettings),
        .target(name: "Accounts", dependencies: ["CSodium", "JSON", "Platform", "Store"], swiftSettings: commonSettings),
        .target(
            name: "Mail",
            dependencies: ["Accounts", "CSodium", "Store", "Platform"],
            resources: [.embedInCode("Templates")],
            swiftSettings: commonSettings
        ),
        .target(name: "Service", dependencies: ["Accounts", "JSON", "JSONRPC", "Store"], swiftSettings: commonSettings),
        .executableTarget(
            name: "postern",
            dependencies: ["Accounts", "CLinux", "JSON", "JSONRPC", "Mail", "Service", "Store", "Platform"],
            swiftSettings: commonSettings
        ),
        .executableTarget(name: "PosternSchema", dependencies: ["JSON"], swiftSettings: commonSettings),

        .target(
            name: "PosternClient",
            dependencies: ["JSON", "Platform"],
            path: "clients/swift/Sources/PosternClient",
            swiftSettings: commonSettings
        ),
        .executableTarget(
            name: "PosternClientExample",
            dependencies: ["PosternClient"],
            path: "clients/swift/Example",
            swiftSettings: commonSettings
        ),
        .executableTarget(
            name: "PosternClientTrials",
            dependencies: ["JSON", "PosternClient", "PosternTranscripts"],
            path: "clients/swift/Trials",
            swiftSettings: commonSettings
        ),

        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: commonSettings),
        .testTarget(name: "PlatformTests", dependencies: ["Platform"], swiftSettings: commonSettings),
        .testTarget(name: "JSONRPCTests", dependencies: ["JSON", "JSONRPC", "Platform"], swiftSettings: commonSettings),
        .testTarget(
            name: "StoreTests",
            dependencies: ["JSON", "PosternTesting", "Store"],
            swiftSettings: commonSettings
        ),
        .testTarget(
            name: "AccountsTests",
            dependencies: ["Accounts", "JSON", "PosternTesting", "Store"],
            swiftSettings: commonSettings
        ),
        .testTarget(
            name: "ServiceTests",
            dependencies: ["Accounts", "JSON", "JSONRPC", "PosternTesting", "Service", "Store"],
            swiftSettings: commonSettings
        ),
        .testTarget(
            name: "MailTests",
            dependencies: ["Accounts", "Mail", "PosternTesting", "Store", "Platform"],
            swiftSettings: commonSettings
        ),
        .target(
            name: "PosternTesting",
            dependencies: ["JSON", "Store", "postern"],
            path: "Tests/PosternTesting",
            swiftSettings: commonSettings
        ),
        .target(
            name: "PosternTranscripts",
            dependencies: ["JSON"],
            path: "Tests/PosternTranscripts",
            swiftSettings: commonSettings
        ),
        .testTarget(
            name: "ContractTests",
            dependencies: ["Accounts", "JSON", "PosternSchema", "PosternTesting", "PosternTranscripts"],
            exclude: ["Resources"],
            swiftSettings: commonSettings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["Accounts", "JSON", "JSONRPC", "PosternTesting", "Store"],
            exclude: ["Resources"],
            swiftSettings: commonSettings
        ),
        .testTarget(
            name: "PosternClientTests",
            dependencies: [
                "JSON", "PosternClient", "PosternClientExample", "PosternClientTrials", "PosternTesting",
                "PosternTranscripts", "Platform",
            ],
            path: "clients/swift/Tests/PosternClientTests",
            exclude: ["Fakes"],
            swiftSettings: commonSettings
        ),
    ],
    swiftLanguageModes: [.v6]
)
