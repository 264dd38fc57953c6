package plots
import ("testing";"encoding/json";"os";"overnight/results/figure")
func TestZZ(t *testing.T){
 b,err:=os.ReadFile("/tmp/h6real.json"); if err!=nil {t.Skip("none")}
 var figs []figure.Figure
 if err:=json.Unmarshal(b,&figs);err!=nil{t.Fatal(err)}
 os.RemoveAll("/tmp/h6plots/real")
 p,err:=Write("/tmp/h6plots/real",figs); t.Log(len(p),err)
}
