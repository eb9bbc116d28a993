interface ImportMetaEnv {
  readonly VITE_ITEMCAST_URL?: string; // of the server, such as http://127.0.0.1:8080; its paths are added to it
  readonly VITE_ITEMCAST_TOKEN?: string; // that shows what everybody may see, to pages of this origin only
}
