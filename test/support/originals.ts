/**
 * The original's own tests about images, storage drivers and archives: every function of those files by name, and of
 * those that are not repeated as a user sees them, where our test of the same is, or why there cannot be one.
 */

/** A test of ours: the file, and words of its title. */
export interface Elsewhere {
  readonly file: string;
  readonly title: string;
}

/** Where a test of the original is: repeated as it stands (`here`), with another one, or nowhere for a reason. */
export type Place = "here" | Elsewhere | { readonly never: string };

const e2e = (file: string, title: string): Elsewhere => ({ file: `test/e2e/${file}.test.ts`, title });
const unit = (file: string, title: string): Elsewhere => ({ file: `test/unit/${file}.test.ts`, title });
const driver = (title: string): Elsewhere => ({ file: "test/conformance/graph-driver.test.ts", title });
const aufs = (title: string) => unit("daemon/graphdriver/aufs/aufs", title);

const COMMANDS = e2e("routes", "each route about containers has its exercise");

/** The five tests that each driver of the original has. */
const ofDriver = (name: string, place?: Place): Record<string, Place> => ({
  [`Test${name}Setup`]: place ?? driver("newGraphDriver() refuses an unknown name"),
  [`Test${name}CreateEmpty`]: place ?? driver("an empty layer is empty, and open to all"),
  [`Test${name}CreateBase`]: place ?? driver("modes and owners that are set in a layer are seen"),
  [`Test${name}CreateSnap`]: place ?? driver("modes and owners that are set in a layer are seen"),
  [`Test${name}Teardown`]: place ?? driver("the next daemon finds whole layers only, and no mounts"),
});

/** By file of the original, below its `integration-cli/docker_cli_` or with its path; functions in their order. */
export const ORIGINALS: Readonly<Record<string, Readonly<Record<string, Place>>>> = {
  commit: {
    TestCommitAfterContainerIsDone: "here",
    TestCommitWithoutPause: "here",
    TestCommitNewFile: "here",
    TestCommitTTY: "here",
    TestCommitWithHostBindMount: "here",
  },
  cp: {
    TestCpGarbagePath: "here",
    TestCpRelativePath: "here",
    TestCpAbsolutePath: "here",
    TestCpAbsoluteSymlink: "here",
    TestCpSymlinkComponent: "here",
    TestCpUnprivilegedUser: "here",
  },
  diff: {
    TestDiffFilenameShownInOutput: "here",
    TestDiffEnsureDockerinitFilesAreIgnored: "here",
    TestDiffEnsureOnlyKmsgAndPtmx: "here",
  },
  events: {
    TestCLIGetEventsUntag: "here",
    TestCLIGetEventsPause: "here",
    TestCLILimitEvents: "here",
    TestCLIGetEventsContainerEvents: "here",
    TestCLIGetEventsImageUntagDelete: "here",
  },
  export_import: { TestExportContainerAndImportImage: "here" },
  history: { TestBuildHistory: "here", TestHistoryExistentImage: "here", TestHistoryNonExistentImage: "here" },
  images: {
    TestImagesEnsureImageIsListed: "here",
    TestCLIImageTagRemove: "here",
    TestImagesOrderedByCreationDate: "here",
  },
  import: { TestImportDisplay: "here" },
  info: { TestInfoEnsureSucceeds: "here" },
  inspect: { TestInspectImage: "here" },
  ps: { TestListContainers: "here" },
  pull: { TestPullImageFromCentralRegistry: "here", TestPullNonExistingImage: "here" },
  push: { TestPushBusyboxImage: "here", TestPushUnprefixedRepo: "here" },
  rm: {
    TestRemoveContainerWithRemovedVolume: "here",
    TestRemoveContainerWithVolume: "here",
    TestRemoveRunningContainer: "here",
    TestForceRemoveRunningContainer: "here",
    TestContainerOrphaning: "here",
    TestDeleteTagWithExistingContainers: "here",
  },
  save_load: {
    TestSaveAndLoadRepoStdout: "here",
    TestSaveSingleTag: "here",
    TestSaveImageId: "here",
    TestSaveAndLoadRepoFlags: "here",
  },
  search: { TestSearchOnCentralRegistry: e2e("registry", "kept, and used for a search") },
  tag: {
    TestTagUnprefixedRepoByName: "here",
    TestTagUnprefixedRepoByID: "here",
    TestTagInvalidUnprefixedRepo: { never: "the original skips it: 1.2.0 tags with such names, and so it has to stay" },
    TestTagValidPrefixedRepo: "here",
  },
  version: { TestVersionEnsureSucceeds: "here" },
  "integration/api_test.go": {
    TestGetContainersJSON: e2e("inspect", "ps: which containers, in which order, in which columns"),
    TestGetContainersExport: "here",
    TestSaveImageAndThenLoad: "here",
    TestGetContainersChanges: "here",
    TestGetContainersTop: e2e("containers", "top shows its processes"),
    TestPostCommit: "here",
    TestPostContainersCreate: COMMANDS,
    TestPostContainersKill: e2e("routes", "kill sends any signal, by name and by number"),
    TestPostContainersRestart: COMMANDS,
    TestPostContainersStart: COMMANDS,
    TestPostContainersStop: COMMANDS,
    TestPostContainersWait: e2e("routes", "wait prints the code of every end"),
    TestPostContainersAttach: e2e("streams", "attach: output of both kinds, input, the exit code"),
    TestPostContainersAttachStderr: e2e("streams", "attach: output of both kinds, input, the exit code"),
    TestOptionsRoute: e2e("listen", "--api-enable-cors adds the headers of 1.2.0"),
    TestGetEnabledCors: e2e("listen", "--api-enable-cors adds the headers of 1.2.0"),
    TestDeleteImages: "here",
    TestPostContainersCopy: "here",
    TestPostContainersCopyWhenContainerNotFound: "here",
  },
  "integration/auth_test.go": {
    TestLogin: e2e("registry", "a password is tried at a registry of version 1, kept"),
    TestCreateAccount: unit("registry/service", "Account created. Please see the documentation"),
  },
  "integration/commands_test.go": {
    TestRunDisconnect: e2e("streams", "a client that dies in the middle costs nothing"),
    TestRunDisconnectTty: e2e("streams", "a client that dies in the middle costs nothing"),
    TestRunDetach: e2e("streams", "Ctrl-P Ctrl-Q, which leaves the container running"),
    TestAttachDetach: e2e("streams", "Ctrl-P Ctrl-Q leaves however the bytes are cut"),
    TestAttachDetachTruncatedID: e2e("streams", "Ctrl-P Ctrl-Q leaves however the bytes are cut"),
    TestAttachDisconnect: e2e("streams", "one that dies, or has nothing more to say, leaves alone"),
    TestRunAutoRemove: e2e("run-flags", "--rm takes the container and its volumes away"),
    TestRunErrorBindNonExistingSource: e2e("run-flags", "-v makes a volume, makes the host's directory"),
    TestRunCidFileCheckIDLength: e2e("run-flags", "--cidfile holds the id, and is not written over"),
    TestRunCidFileCleanupIfEmpty: "here",
  },
  "integration/graph_test.go": {
    TestMount: driver("a layer shows what is below it, and what it adds"),
    TestInit: unit("graph/graph", "Graph.map(), byParent() and heads()"),
    TestInterruptedRegister: unit("graph/graph", "Graph.register() leaves nothing behind when the layer is broken"),
    TestGraphCreate: unit("graph/graph", "Graph.create() describes what it was made of"),
    TestRegister: unit("graph/graph", "Graph.register() keeps the description's own bytes"),
    TestDeletePrefix: "here",
    TestDelete: unit("graph/graph", "Graph.delete() removes description and layer"),
    TestByParent: unit("graph/graph", "Graph.map(), byParent() and heads()"),
  },
  "integration/runtime_test.go": {
    TestDaemonCreate: "here",
    TestDestroy: "here",
    TestGet: COMMANDS,
    TestAllocateTCPPortLocalhost: e2e("network", "a published port is reached from outside, by loopback"),
    TestAllocateUDPPortLocalhost: e2e("run-flags", "-p …/udp carries datagrams into the container"),
    TestRestore: e2e("daemon-restart", "kill -9 and a boot"),
    TestDefaultContainerName: "here",
    TestRandomContainerName: unit("daemon/create", "create makes up names until one is free"),
    TestContainerNameValidation: unit("daemon/create", "create refuses the name"),
    TestLinkChildContainer: e2e("inspect", "links: variables, names, aliases"),
    TestGetAllChildren: e2e("inspect", "links: variables, names, aliases"),
    TestDestroyWithInitLayer: "here",
  },
  "integration/server_test.go": {
    TestCreateNumberHostname: e2e("run-flags", "-h is the host's and the domain's name"),
    TestCommit: "here",
    TestMergeConfigOnCommit: "here",
    TestRestartKillWait: e2e("daemon-restart", "SIGTERM and a boot"),
    TestCreateStartRestartStopStartKillRm: COMMANDS,
    TestRunWithTooLowMemoryLimit: "here",
    TestImagesFilter: "here",
  },
  "graph/pools_test.go": { TestPools: unit("graph/tags", "TagStore.poolAdd() lets nobody else do the same") },
  "graph/tags_unit_test.go": { TestLookupImage: unit("graph/tags", "TagStore.lookupImage() finds by name, tag") },
  "daemon/graphdriver/vfs/vfs_test.go": ofDriver("Vfs"),
  "daemon/graphdriver/btrfs/btrfs_test.go": ofDriver("Btrfs"),
  "daemon/graphdriver/devmapper/devmapper_test.go": ofDriver("Devmapper", {
    never: "Drydock has no devicemapper: today's kernels have overlay",
  }),
  "daemon/graphdriver/aufs/aufs_test.go": {
    TestNewDriver: aufs("AufsDriver.init() makes three directories"),
    TestAufsString: aufs("newGraphDriver() takes aufs unasked only when the kernel has it"),
    TestCreateDirStructure: aufs("AufsDriver.init() makes three directories"),
    TestNewDriverFromExistingDir: aufs("AufsDriver.init() goes on with the directory of the daemon before"),
    TestCreateNewDir: aufs("AufsDriver.create() makes one entry in each directory"),
    TestCreateNewDirStructure: aufs("AufsDriver.create() makes one entry in each directory"),
    TestRemoveImage: aufs("AufsDriver.remove() takes all three away"),
    TestGetWithoutParent: aufs("AufsDriver.get() gives a base layer's own directory"),
    TestCleanupWithNoDirs: aufs("AufsDriver.cleanup() unmounts everything"),
    TestCleanupWithDir: aufs("AufsDriver.cleanup() unmounts everything"),
    TestMountedFalseResponse: aufs("AufsDriver.get() gives a base layer's own directory"),
    TestMountedTrueReponse: aufs("AufsDriver.get() mounts once, and the last put() unmounts"),
    TestMountWithParent: aufs("AufsDriver.get() mounts once, and the last put() unmounts"),
    TestRemoveMountedDir: aufs("AufsDriver.remove() unmounts a layer in use"),
    TestCreateWithInvalidParent: aufs("leaves nothing behind when the parent is unknown"),
    TestGetDiff: aufs("AufsDriver.diffSize() and diff() tell of the layer alone"),
    TestChanges: aufs("AufsDriver.changes() compares a layer with those below it"),
    TestDiffSize: aufs("AufsDriver.diffSize() and diff() tell of the layer alone"),
    TestChildDiffSize: aufs("AufsDriver.diffSize() and diff() tell of the layer alone"),
    TestExists: aufs("AufsDriver.exists() and status() go by the files in layers"),
    TestStatus: aufs("AufsDriver.exists() and status() go by the files in layers"),
    TestApplyDiff: aufs("AufsDriver.applyDiff() unpacks into the layer's directory"),
    TestMountMoreThan42Layers: driver("126 layers, each written to through its mount"),
  },
  "archive/archive_test.go": {
    TestCmdStreamLargeStderr: { never: "no program's output is read here while its errors wait: xz alone is called" },
    TestCmdStreamBad: unit("archive/compression", "sees that %s is broken"),
    TestCmdStreamGood: unit("archive/compression", "gives back what %s compressed"),
    TestTarUntar: unit("archive/archive", "tar() and Unpacker copy a tree"),
    TestTarWithOptions: unit("archive/archive", "leaves out what it is told to"),
    TestTypeXGlobalHeaderDoesNotFail: unit("archive/tar/tar", "TarParser ignores a global header"),
    TestUntarUstarGnuConflict: unit("archive/tar/tar", "a long name beside a binary number"),
  },
  "archive/changes_test.go": {
    TestChangesDirsEmpty: unit("archive/archive", "changesDirs() finds what was modified"),
    TestChangesDirsMutated: unit("archive/archive", "changesDirs() finds what was modified"),
    TestApplyLayer: unit("archive/archive", "exportChanges() makes the old tree into the new one"),
  },
};
