// placeholder until lib/config exports defineConfig
export {}
