#include "cli/cli.h"

namespace kith::cli {

void add_add(CLI::App& root);
void add_ask(CLI::App& root);
void add_bench(CLI::App& root);
void add_build(CLI::App& root);
void add_convert(CLI::App& root);
void add_data(CLI::App& root);
void add_embed(CLI::App& root);
void add_eval(CLI::App& root);
void add_exact(CLI::App& root);
void add_fuse(CLI::App& root);
void add_info(CLI::App& root);
void add_ingest(CLI::App& root);
void add_judge(CLI::App& root);
void add_lid(CLI::App& root);
void add_merge(CLI::App& root);
void add_model(CLI::App& root);
void add_papers(CLI::App& root);
void add_plan(CLI::App& root);
void add_remove(CLI::App& root);
void add_search(CLI::App& root);
void add_pretrain(CLI::App& root);
void add_train(CLI::App& root);
void add_tune(CLI::App& root);

// In the order of use, which is the order of `kith --help`.
void add_verbs(CLI::App& root) {
  add_model(root);
  add_pretrain(root);
  add_train(root);
  add_ingest(root);
  add_ask(root);
  add_embed(root);
  add_convert(root);
  add_exact(root);
  add_lid(root);
  add_plan(root);
  add_build(root);
  add_info(root);
  add_search(root);
  add_fuse(root);
  add_eval(root);
  add_tune(root);
  add_add(root);
  add_remove(root);
  add_merge(root);
  add_data(root);
  add_judge(root);
  add_bench(root);
  add_papers(root);
}

}  // namespace kith::cli
